// A process of its own over one SQLite file, for the tests that need several, or one to kill:
//   sqlite-child.js open|increment|write <file>
import { writeSync } from 'node:fs';
import { sqliteStore } from 'madeleine/sqlite';
import { sampleRecord } from './sample-record.js';

const [task, file = ''] = process.argv.slice(2);
const now = Date.now();

/** Waits for the word to start, so that all the processes start at once. */
const started = new Promise<void>(resolve => {
  process.once('message', () => resolve());
  process.send?.('ready');
});

async function run(): Promise<void> {
  await started;
  const store = sqliteStore(file);
  if (task === 'open') await store.create(`key-${process.pid}`, sampleRecord(now));
  for (let i = 0; task === 'increment' && i < 250; i++) {
    for (;;) {
      const current = await store.read('counter');
      if (!current) throw new Error('the counter is gone');
      const next = { ...current, version: current.version + 1, data: String(Number(current.data) + 1) };
      if ((await store.replace('counter', next, current.version)).ok) break;
    }
  }
  for (let i = 0; task === 'write'; i++) {
    await store.create(`key-${i}`, sampleRecord(now, { data: `"${'x'.repeat(1_000)}"` }));
    if (i % 3 === 0) await store.replace(`key-${i}`, sampleRecord(now, { version: 2 }), 1);
    if (i % 5 === 0) await store.delete(`key-${i}`);
    writeSync(1, `${i}\n`);
  }
  store.close();
  process.disconnect?.();
}

await run();
