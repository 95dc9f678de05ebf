// What `madeleine/express` brings along: the files that it imports, and their size.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const ENTRY = path.join(import.meta.dirname, '../dist/adapters/express.js');
/** The compiler puts each import on a line of its own; one with a parenthesis is for later, if ever. */
const IMPORT = /^(?:import|export)\b(?:[^'"(]*\bfrom)? ?['"](\.[^'"]+)['"]/gm;

export function sizeFigures() {
  const files = [...filesFrom(ENTRY)].sort();
  const bytes = gzipSync(Buffer.concat(files.map(file => readFileSync(file))), { level: 9 }).length;
  return { files: files.length, 'bytes gzipped': bytes };
}

function filesFrom(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    filesFrom(path.resolve(path.dirname(file), specifier), found);
  }
  return found;
}
