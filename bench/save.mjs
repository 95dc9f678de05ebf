// Writes a file that the command line asked for, and the folders to it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export function save(file, text) {
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, text);
}
