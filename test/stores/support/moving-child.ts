// A process of its own that moves sessions between two SQLite files, beside others that do the same:
//   moving-child.js increment|change|delete <old file> <new file>
import { movingStore } from 'madeleine/moving';
import { sqliteStore } from 'madeleine/sqlite';

const [task, from = '', to = ''] = process.argv.slice(2);
const store = movingStore(sqliteStore(from), sqliteStore(to));

async function increment(): Promise<void> {
  for (let i = 0; i < 100; i++) {
    for (;;) {
      const current = await store.read('counter');
      if (!current) throw new Error('the counter is gone');
      const next = { ...current, version: current.version + 1, data: String(Number(current.data) + 1) };
      if ((await store.replace('counter', next, current.version)).ok) break;
    }
  }
}

async function forEachKey(work: (key: string) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 200; i++) await work(`key-${i}`);
}

const tasks: Record<string, () => Promise<void>> = {
  increment,
  change: () =>
    forEachKey(async key => {
      const current = await store.read(key);
      if (current) await store.replace(key, { ...current, version: current.version + 1 }, current.version);
      await store.touch(key, Date.now(), Date.now() + 7_200_000);
    }),
  delete: () => forEachKey(async key => store.delete(key)),
};

process.once('message', async () => {
  await tasks[task ?? '']?.();
  await store.close?.();
  process.disconnect();
});
process.send?.('ready');
