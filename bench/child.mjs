// A process of our own on a core of its own, asked questions over the IPC channel: nothing of the bench itself goes over HTTP.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** The server has a core for itself where there are two. Without `taskset` the system places them. */
export function choosePlaces() {
  const cores = allowedCores();
  if (!cores) return { pinned: false, server: null, load: null };
  return { pinned: true, server: cores[0], load: cores.at(-1) };
}

/** The cores that this process may run on, or null. */
function allowedCores() {
  let answer;
  try {
    answer = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  } catch {
    return null;
  }
  const ranges = answer
    .slice(answer.lastIndexOf(':') + 1)
    .trim()
    .split(',');
  return ranges.flatMap(range => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

export class Child {
  #process;
  #name;
  #errors = '';
  #gone;

  /** @param core the core to pin it to; null where that cannot be done */
  constructor(name, file, { args = [], core = null, flags = [] } = {}) {
    const command = [process.execPath, ...flags, path.join(import.meta.dirname, file), ...args];
    if (core !== null) command.unshift('taskset', '-c', String(core));
    this.#name = name;
    this.#process = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    // Kept, and shown only when something went wrong: a peer's advice at start is not a result.
    this.#process.stderr.setEncoding('utf8').on('data', text => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    // Not 'close': Node never says that once the parent has disconnected.
    const ended = once(this.#process, 'exit').then(([code, signal]) => `exited with ${signal ?? code}`);
    this.#gone = Promise.all([ended, once(this.#process.stderr, 'end')]).then(
      ([how]) => how,
      error => `did not start: ${error.message}`,
    );
  }

  /** One question at a time. */
  async ask(question, details = {}) {
    const answer = new Promise(resolve => this.#process.once('message', resolve));
    const gone = this.#gone.then(how => ({ failed: how }));
    // To one that is gone already, nothing can be sent: that it is gone is the answer.
    this.#process.send({ question, details }, () => {});
    const reply = await Promise.race([answer, gone]);
    if (reply.failed) throw new Error(`${this.#name}: ${reply.failed}\n${this.#errors}`.trimEnd());
    return reply;
  }

  async stop() {
    if (this.#process.connected) this.#process.disconnect();
    await this.#gone;
  }
}

/** The child's side: answers by name, and ends with its parent, by `exit` so that a CPU profile gets written. */
export function answerParent(handlers) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ question, details }) => {
    try {
      process.send(await handlers[question](details));
    } catch (error) {
      process.send({ failed: error.stack });
    }
  });
}
