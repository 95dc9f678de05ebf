import { PROGRAMS, type ProgramKind } from './programs.ts';

/**
 * Says whether tests that need these programs are skipped: `describe('redis store', { skip: need('redis') }, ...)`.
 * On a laptop a missing one skips them, and scripts/test.mjs counts and names what was skipped. In CI, where
 * nobody would notice, it fails.
 */
export function need(...kinds: ProgramKind[]): string | false {
  const missing = kinds.filter(kind => !PROGRAMS[kind]());
  if (missing.length === 0) return false;
  const reason = `not installed: ${missing.join(', ')} (Debian: apt-get install redis-server postgresql pgbouncer mariadb-server chromium)`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}
