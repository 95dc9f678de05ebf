/** Runs the store's scripts, and waits for replicas where that is wanted. */
import { MadeleineError } from '../errors.ts';
import type { RedisCommands } from './redis-client.ts';
import type { Script } from './redis-scripts.ts';
import { messageOf } from './redis-server.ts';

/** How many replicas must have a write before it is acknowledged, and how long to wait for them, in milliseconds. */
export interface ReplicaWait {
  replicas: number;
  timeout: number;
}

/** What a script answers. As text all of it, however the client is set to give numbers and strings. */
export type Answer = Array<string | null>;

type Keys = [string, ...string[]];

/** Runs a script on keys that live in one slot. */
export type RunScript = (script: Script, keys: Keys, args: Array<string | number>) => Promise<Answer>;

const MOST_ATTEMPTS = 100;
const RETRY_PAUSE = 20;

export function createRun({ send, wait }: RedisCommands, replicaWait: ReplicaWait | null): RunScript {
  /** What to do about a failure that passes: most often the server has been started anew, and has forgotten the script. */
  async function insist(failure: unknown, script: Script, key: string, rest: string[]): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const forgotten = /^NOSCRIPT/.test(messageOf(failure));
      // A slot is moving to another master, and one of the keys is there already: the other follows in a moment.
      const moving = /^TRYAGAIN/.test(messageOf(failure));
      if (attempt >= MOST_ATTEMPTS || !(forgotten || moving)) throw failure;
      if (moving) await new Promise(resolve => setTimeout(resolve, RETRY_PAUSE));
      try {
        return await send(key, forgotten ? ['EVAL', script.text, ...rest] : ['EVALSHA', script.sha, ...rest]);
      } catch (error) {
        failure = error;
      }
    }
  }

  // Each write goes through here: promises in a chain cost less than functions that await each other.
  return (script, keys, args) => {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    const answered = send(keys[0], ['EVALSHA', script.sha, ...rest]).then(textsOf, (error: unknown) =>
      insist(error, script, keys[0], rest).then(textsOf),
    );
    return replicaWait ? answered.then(answer => afterReplicas(keys[0], answer, replicaWait)) : answered;
  };

  async function afterReplicas(key: string, answer: Answer, { replicas, timeout }: ReplicaWait): Promise<Answer> {
    if (answer[0] === 'refused') return answer;
    const have = await wait(key, replicas, timeout);
    if (have >= replicas) return answer;
    throw new MadeleineError(
      'ERR_STORE_FAILED',
      `The write is done, but only ${have} of ${replicas} replicas had it after ${timeout} ms.`,
      'See whether the replicas are up and keep pace; option "wait" of redisStore says how many there must be.',
    );
  }
}

function textsOf(answer: unknown): Answer {
  return (answer as unknown[]).map(part => (part === null ? null : String(part)));
}
