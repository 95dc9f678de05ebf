import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** For modules that import packages: these are looked for above them. */
export const IN_REPOSITORY = '.build';

/** A folder that goes with this process. */
export function temporaryFolder(parent: string = tmpdir()): string {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.resolve(parent, 'madeleine-test-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Names of files that are not there yet, in such a folder. */
export function temporaryFiles(ending: string, folder: string = temporaryFolder()): () => string {
  let files = 0;
  return () => path.join(folder, `${++files}${ending}`);
}
