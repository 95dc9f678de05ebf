import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Names of files that are not there yet, in a folder that goes with this process. */
export function temporaryFiles(ending: string): () => string {
  const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-test-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  return () => path.join(folder, `${++files}${ending}`);
}
