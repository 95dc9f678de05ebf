// The store that docs/stores.md shows is run as it stands there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { SessionStore } from 'madeleine';
import { storeConformance } from 'madeleine/testing';

const text = readFileSync(new URL('../../../docs/stores.md', import.meta.url), 'utf8');
const code = /^```js store-example\n(.*?)^```$/ms.exec(text)?.[1];
assert.ok(code, 'docs/stores.md shows a store');
const { mapStore } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { mapStore(): SessionStore };

storeConformance({ name: 'mapStore of docs/stores.md', open: () => mapStore() });
