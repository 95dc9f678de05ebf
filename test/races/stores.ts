// Every store that exists, as the races meet it: at once, and behind a network that takes its time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { sqliteStore } from 'madeleine/sqlite';
import { faultStore } from 'madeleine/testing';

export interface Arena {
  name: string;
  open(): SessionStore;
}

const slow = (store: SessionStore, time: number): SessionStore => faultStore(store, () => ({ kind: 'delay', time }));

const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-races-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
let files = 0;
export const sqliteFile = (): string => path.join(folder, `${files++}.db`);

export const ARENAS: readonly Arena[] = [
  { name: 'memory', open: () => memoryStore() },
  { name: 'sqlite', open: () => sqliteStore(sqliteFile()) },
  { name: 'memory, 50 ms away', open: () => slow(memoryStore(), 50) },
  { name: 'sqlite, 50 ms away', open: () => slow(sqliteStore(sqliteFile()), 50) },
];

/** As far away as a slow database: for what a client sees of its own writes. */
export const FAR: readonly Arena[] = [
  { name: 'memory, 200 ms away', open: () => slow(memoryStore(), 200) },
  { name: 'sqlite, 200 ms away', open: () => slow(sqliteStore(sqliteFile()), 200) },
];
