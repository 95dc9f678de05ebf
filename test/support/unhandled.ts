import assert from 'node:assert/strict';
import { after, before } from 'node:test';

/** Fails the file if a promise was rejected that nobody waited for. (The test runner reports it too, but not which.) */
export function expectNoUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  before(() => process.on('unhandledRejection', note));
  after(() => {
    process.removeListener('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });
}
