// K5: whatever cookies, options, session keys and stored JSON say, nobody writes to a prototype. These tests once more, where that throws.
import assert from 'node:assert/strict';
import { after, it } from 'node:test';

// Not Function's: Express 5 itself sets `bind` on one of its functions.
Object.freeze(Object.prototype);
Object.freeze(Array.prototype);

await import('./cookie/parse.test.ts');
await import('./cookie/express.test.ts');
await import('./cookie/define.test.ts');
await import('./session/core.test.ts');
await import('./session/meanwhile.test.ts');
await import('./express/gate.test.ts');
await import('./stores/sealed-cookie.test.ts');
await import('./races/same-change.test.ts');

it('a write to a prototype throws', () => {
  assert.throws(() => {
    (Object.prototype as { polluted?: boolean }).polluted = true;
  }, TypeError);
});

after(() => assert.equal('polluted' in {}, false));
