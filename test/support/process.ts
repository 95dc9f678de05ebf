import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Running {
  child: ChildProcess;
  /** What the pattern's first group found in the output. */
  found: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Starts a Node script and waits until its output matches. It never outlives this process. */
export async function start(script: string, env: Record<string, string>, pattern: RegExp): Promise<Running> {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let output = '';
  const found = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      const match = pattern.exec(output);
      if (match) resolve(match[1] ?? '');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', code => reject(new Error(`${script} ended with ${code}: ${output}`)));
  });
  return {
    child,
    found,
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      process.removeListener('exit', end);
    },
  };
}
