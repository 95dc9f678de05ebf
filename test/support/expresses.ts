import express5 from 'express';
import express4 from 'express4';

/** Both supported majors: each suite of the adapter runs on each. */
export const EXPRESSES: ReadonlyArray<{ name: string; express: typeof express5 }> = [
  { name: 'Express 4', express: express4 },
  { name: 'Express 5', express: express5 },
];
