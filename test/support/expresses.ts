import { createRequire } from 'node:module';
import express5 from 'express';
import express4 from 'express4';

/** Both supported majors: each suite of the adapter runs on each. */
export const EXPRESSES: ReadonlyArray<{ name: string; express: typeof express5 }> = [
  { name: 'Express 4', express: express4 },
  { name: 'Express 5', express: express5 },
];

/** Express once more, with prototypes of its own: as where two versions of it are installed. */
export function anotherExpress(): typeof express5 {
  const require = createRequire(import.meta.url);
  const isOfExpress = (file: string) => /[\\/]node_modules[\\/]express[\\/]/.test(file);
  for (const file of Object.keys(require.cache)) if (isOfExpress(file)) delete require.cache[file];
  return require('express');
}
