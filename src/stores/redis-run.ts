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

type Keys = [string, ...string[]];

/** Runs a script on keys that live in one slot. */
export type RunScript = (script: Script, keys: Keys, args: Array<string | number>) => Promise<Answer>;

const MOST_ATTEMPTS = 100;
const RETRY_PAUSE = 20;

export function createRun(commands: RedisCommands, replicaWait: ReplicaWait | null): RunScript {
  /** WAIT asks about the writes of its own connection: on another of a pool it would say that all is well. */
  const together: Together = commands.together ?? (run => run(commands));

  return (script, keys, args) => {
    const rest = [String(keys.length), ...keys, ...args.map(String)];
    if (replicaWait === null) return evaluate(commands, script, keys[0], rest);
    return together(async connection => {
      const answer = await evaluate(connection, script, keys[0], rest);
      if (answer[0] !== 'refused') await waitForReplicas(connection, keys[0], replicaWait);
      return answer;
    });
  };
}

/** Each write goes through here: promises in a chain cost less than functions that await each other. */
function evaluate(commands: RedisCommands, script: Script, key: string, rest: string[]): Promise<Answer> {
  return commands
    .send(key, ['EVALSHA', script.sha, ...rest])
    .then(textsOf, (error: unknown) => insist(commands, error, script, key, rest).then(textsOf));
}

/** What to do about a failure that passes: most often the server has been started anew, and has forgotten the script. */
async function insist(
  { send }: RedisCommands,
  failure: unknown,
  script: Script,
  key: string,
  rest: string[],
): Promise<unknown> {
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

function textsOf(answer: unknown): Answer {
  return (answer as unknown[]).map(part => (part === null ? null : String(part)));
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
