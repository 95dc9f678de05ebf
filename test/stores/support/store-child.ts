// A process of its own over a store that it shares with others, for the tests that need several, or one to kill:
//   store-child.js open|increment|write <store> <file or url>
import { writeSync } from 'node:fs';
import { openStore } from '../../support/open-store.ts';
import { sampleRecord } from './sample-record.js';

const [task, kind = '', where = ''] = process.argv.slice(2);
const now = Date.now();

/** Waits for the word to start, so that all the processes start at once. */
const started = new Promise<void>(resolve => {
  process.once('message', () => resolve());
  process.send?.('ready');
});

async function run(): Promise<void> {
  await started;
  const store = openStore(kind, where);
  if (task === 'open') await store.create(`key-${process.pid}`, sampleRecord(now));
  for (let i = 0; task === 'increment' && i < 250; i++) {
    for (;;) {
      const current = await store.read('counter');
      if (!current) throw new Error('the counter is gone');
      const next = { ...current, version: current.version + 1, data: String(Number(current.data) + 1) };
      const replaced = await store.replace('counter', next, current.version);
      if (replaced.ok) break;
      // Somebody was faster, so what stands there is newer.
      if (!replaced.current || replaced.current.version <= current.version) throw new Error('a stale answer');
    }
  }
  for (let i = 0; task === 'write'; i++) {
    await store.create(`key-${i}`, sampleRecord(now, { data: `"${'x'.repeat(1_000)}"` }));
    if (i % 3 === 0) await store.replace(`key-${i}`, sampleRecord(now, { version: 2 }), 1);
    if (i % 5 === 0) await store.delete(`key-${i}`);
    writeSync(1, `${i}\n`);
  }
  await store.close?.();
  process.disconnect?.();
}

await run();
