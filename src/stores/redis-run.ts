/** Runs the store's scripts, and waits for replicas where that is wanted. */
import { MadeleineError } from '../errors.ts';
import type { RedisCommands, Together } from './redis-client.ts';
import type { Script } from './redis-scripts.ts';
import { messageOf } from './redis-server.ts';

/** How many replicas must have a write before it is acknowledged, and how long to wait for them, in milliseconds. */
export interface ReplicaWait {
  replicas: number;
  timeout: number;
}

/** What a script answers. As text all of it, however the client is set to give numbers and strings. */
export type Answer = Array<string | null>;

/** Runs a script on keys that live in one slot. */
export type RunScript = (script: Script, keys: [string, ...string[]], args: Array<string | number>) => Promise<Answer>;

const MOST_ATTEMPTS = 100;
const RETRY_PAUSE = 20;

export function createRun(commands: RedisCommands, replicaWait: ReplicaWait | null): RunScript {
  async function evaluate(
    { send }: RedisCommands,
    script: Script,
    keys: [string, ...string[]],
    args: string[],
  ): Promise<Answer> {
    const rest = [String(keys.length), ...keys, ...args];
    let answer: unknown;
    try {
      answer = await send(keys[0], ['EVALSHA', script.sha, ...rest]);
    } catch (error) {
      if (!/^NOSCRIPT/.test(messageOf(error))) throw error;
      answer = await send(keys[0], ['EVAL', script.text, ...rest]);
    }
    return (answer as unknown[]).map(part => (part === null ? null : String(part)));
  }

  /** WAIT asks about the writes of its own connection: on another of a pool it would say that all is well. */
  const together: Together = commands.together ?? (run => run(commands));

  function once(script: Script, keys: [string, ...string[]], args: string[]): Promise<Answer> {
    if (!replicaWait) return evaluate(commands, script, keys, args);
    return together(async connection => {
      const answer = await evaluate(connection, script, keys, args);
      if (answer[0] !== 'refused') await waitForReplicas(connection, keys[0], replicaWait);
      return answer;
    });
  }

  return async (script, keys, args) => {
    const texts = args.map(String);
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(script, keys, texts);
      } catch (error) {
        // A slot is moving to another master, and one of the keys is there already: the other follows in a moment.
        if (attempt >= MOST_ATTEMPTS || !/^TRYAGAIN/.test(messageOf(error))) throw error;
        await new Promise(resolve => setTimeout(resolve, RETRY_PAUSE));
      }
    }
  };
}

async function waitForReplicas(
  { wait }: RedisCommands,
  key: string,
  { replicas, timeout }: ReplicaWait,
): Promise<void> {
  const have = await wait(key, replicas, timeout);
  if (have >= replicas) return;
  throw new MadeleineError(
    'ERR_STORE_FAILED',
    `The write is done, but only ${have} of ${replicas} replicas had it after ${timeout} ms.`,
    'See whether the replicas are up and keep pace; option "wait" of redisStore says how many there must be.',
  );
}
