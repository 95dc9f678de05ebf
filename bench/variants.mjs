// The contestants: what each one mounts on the application. Each is imported only in the process that runs it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const secret = 'a-secret-that-is-long-enough-for-production';

export const VARIANTS = {
  bare: () => (_request, _response, next) => next(),

  async madeleine() {
    const { session } = await import('madeleine/express');
    return session({ secret });
  },

  async 'madeleine-sqlite'() {
    const { session } = await import('madeleine/express');
    const { sqliteStore } = await import('madeleine/sqlite');
    const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-bench-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return session({ secret, store: sqliteStore(path.join(folder, 'sessions.db')) });
  },

  async 'express-session'() {
    const { default: session } = await import('express-session');
    return session({ secret, resave: false, saveUninitialized: false });
  },
};

/** Only the bare application has no sessions: its answers cannot be checked for memory. */
export const remembers = variant => variant !== 'bare';

/** While the package is being written, its absence is said in words and does not stop the others. */
export const notBuilt = (variant, error) =>
  variant.startsWith('madeleine') && error.code === 'ERR_MODULE_NOT_FOUND' && /[\\/]dist[\\/]/.test(error.message);
