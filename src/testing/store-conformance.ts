import { describe, test } from 'node:test';
import type { Clock } from '../clock.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { SessionStore } from '../session/store.ts';
import { createTestClock } from './clock.ts';
import { adminChecks } from './store-admin-checks.ts';
import { basicChecks } from './store-checks.ts';
import { modelCheck } from './store-model-check.ts';
import type { StoreCheck } from './store-samples.ts';

export interface StoreConformanceOptions {
  /** Names the store in the test report. */
  name: string;
  /** Opens a store that is empty and tells the time by this clock. It is called once for each check. */
  open(context: { clock: Clock }): MaybePromise<SessionStore>;
  /** Undoes `open` after each check. Default: calls the store's own `close`. */
  close?(store: SessionStore): MaybePromise<void>;
}

/** Everything that must be true of a store, for runners other than `node:test`; `storeConformance` runs them there. */
export const storeChecks: readonly StoreCheck[] = [...basicChecks, modelCheck, ...adminChecks];

/**
 * Registers tests with `node:test` that check every sentence of the store contract against a store. Those about the
 * admin part are skipped, and reported as such, when the store has none.
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const close = options.close ?? (store => store.close?.());
  describe(`${options.name} keeps the store contract`, () => {
    for (const check of storeChecks) {
      test(check.name, async context => {
        // Near the real time, because a server behind a store may collect by its own clock.
        const clock = createTestClock(Date.now());
        const store = await options.open({ clock });
        try {
          if (check.admin && !store.admin) context.skip('the store has no admin part');
          else await check.run(store, clock);
        } finally {
          await close(store);
        }
      });
    }
  });
}
