// Random requests of many tabs on several servers that are killed meanwhile: no acknowledged write is lost, nothing that ended
// comes back, everybody sees their own writes. For longer: npm run torture -- --minutes 10 --store sqlite
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { need } from '../servers/need.ts';
import { STORES } from './stores.ts';
import { torture } from './torture.ts';

const seed = Math.floor(Math.random() * 1e9);
const TIMES: Record<string, number> = {
  ...{ memory: 500, 'memory-far': 1_000, sqlite: 2_000, 'sqlite-far': 1_500 },
  ...{ redis: 2_000, postgres: 2_000, mysql: 2_000 },
};
const WITHOUT: Record<string, string | false> = {
  ...{ redis: need('redis'), postgres: need('postgres'), mysql: need('mariadb') },
};

describe('torture', () => {
  for (const [store, time] of Object.entries(TIMES)) {
    it(store, { skip: WITHOUT[store] ?? false }, async t => {
      t.diagnostic(`npm run torture -- --store ${store} --seed ${seed}`);
      const report = await torture({ store, seed, time, processes: 4, concurrency: 'merge' });
      const rate = Math.round(report.operations / (report.time / 1000));
      t.diagnostic(`${report.operations} operations, ${rate} a second, ${report.crashes} crashes`);
      assert.deepEqual(report.words, []);
      assert.ok(report.operations > 500);
      assert.equal(report.crashes > 0, STORES[store]?.shared);
    });
  }

  it("finds what 'last-write-wins' loses", async () => {
    const report = await torture({ store: 'memory', seed, time: 0, processes: 1, concurrency: 'last-write-wins' });
    assert.ok(report.wrong.has('lost write'), [...report.wrong].join());
    assert.match(report.words.join('\n'), /^lost write: .*\n {2}\d+-\d+ b\dt\d /m);
  });

  it('an unknown store is refused', async () => {
    await assert.rejects(
      torture({ store: 'paper', seed, time: 0, processes: 1, concurrency: 'merge' }),
      /memory, sqlite/,
    );
  });
});
