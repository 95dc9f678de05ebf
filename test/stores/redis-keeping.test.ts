// What the store does in Redis: how many commands, what it leaves there, and what it makes of a command that came twice.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { redisStore, type ServerStore } from 'madeleine/redis';
import { createTestClock } from 'madeleine/testing';
import { RESP_TYPES } from 'redis';
import { createRace, type Race } from '../races/app.ts';
import { need } from '../servers/need.ts';
import { startRedis } from '../servers/redis.ts';
import { startNetwork } from './support/network.ts';
import { ioRedis, nodeRedis } from './support/redis-clients.ts';
import { sampleRecord } from './support/sample-record.ts';

const skip = need('redis');
const now = Date.now();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('redisStore in Redis', { skip }, async () => {
  const server = await startRedis({ appendonly: 'no' });
  after(() => server.stop());
  const redis = await ioRedis(server.url);
  const fresh = async () => {
    await redis.flushall();
    return redisStore(redis);
  };

  /** The commands that clients send meanwhile, each as its words. */
  async function commandsOf(run: () => Promise<unknown>): Promise<string[][]> {
    const seen: string[][] = [];
    const monitor = await redis.monitor();
    try {
      const over = new Promise<void>(resolve => {
        monitor.on('monitor', (_time, words: string[], source: string) => {
          if (words[1] === 'over') resolve();
          else if (source !== 'lua') seen.push(words);
        });
      });
      await run();
      await redis.echo('over');
      await over;
      return seen;
    } finally {
      monitor.disconnect();
    }
  }

  const names = (commands: string[][]) => commands.map(([name = '']) => name.toLowerCase());

  it('one command for a read, one script for a write', async () => {
    const store = await fresh();
    // Now Redis knows the scripts, and the store the server.
    await store.create('warm', sampleRecord(now, { userId: 'ada' }));
    await store.touch('warm', now, now + HOUR);
    await store.delete('warm');
    const user = sampleRecord(now, { userId: 'ada' });
    const operations: Array<[commands: string[], run: () => unknown]> = [
      [['get'], () => store.read('absent')],
      [['evalsha'], () => store.create('key', sampleRecord(now))],
      [['get'], () => store.read('key')],
      [['evalsha'], () => store.replace('key', sampleRecord(now, { version: 2 }), 1)],
      [['evalsha'], () => store.touch('key', now + 1, now + 2 * HOUR)],
      [['evalsha'], () => store.delete('key')],
      // The user's index first, in another slot of a Cluster: only where a user comes or goes.
      [['evalsha', 'evalsha'], () => store.create('key', user)],
      [['evalsha'], () => store.replace('key', { ...user, version: 2 }, 1)],
      [['evalsha'], () => store.touch('key', now + 1, now + 2 * HOUR)],
      [['evalsha', 'evalsha', 'evalsha'], () => store.touch('key', now + 2, now + 2 * DAY)],
      [['evalsha'], () => store.touch('key', now + 3, now + 3 * DAY)],
      [['evalsha', 'zrem'], () => store.delete('key')],
      [['evalsha'], () => store.create('guest', sampleRecord(now))],
      [['evalsha', 'evalsha', 'evalsha'], () => store.replace('guest', { ...user, version: 2 }, 1)],
      [['evalsha', 'zrem'], () => store.replace('guest', sampleRecord(now, { version: 3 }), 2)],
      [['evalsha'], () => store.delete('guest')],
    ];
    for (const [commands, run] of operations) {
      assert.deepEqual(names(await commandsOf(async () => run())), commands, String(run));
    }
  });

  it('a touch does not send the data', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now, { data: JSON.stringify('x'.repeat(50_000)) }));
    const [touch] = await commandsOf(async () => store.touch('key', now + 1, now + 2 * HOUR));
    assert.ok((touch as string[]).join(' ').length < 500);
  });

  it('a server that has forgotten the scripts is told them again', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now));
    await redis.script('FLUSH');
    const commands = await commandsOf(async () => store.replace('key', sampleRecord(now, { version: 2 }), 1));
    assert.deepEqual(names(commands), ['evalsha', 'eval']);
    assert.equal((await store.read('key'))?.version, 2);
  });

  it('what expires goes by itself, the indexes too', async () => {
    const store = await fresh();
    const soon = Date.now() + 200;
    await store.create('key', sampleRecord(now, { userId: 'ada', expiresAt: soon }));
    await store.create('other', sampleRecord(now));
    await store.touch('other', now, now + 2 * HOUR);
    for (const name of await redis.keys('madeleine:{*}:*')) {
      const left = await redis.pttl(name);
      assert.ok(name.endsWith('other') ? left > HOUR : left <= 200, `${name} lives for ${left} ms`);
    }
    const index = await redis.pttl('madeleine:user:ada');
    assert.ok(index > HOUR && index <= DAY + 200);
    while ((await store.read('key')) !== null) await delay(20);
    assert.deepEqual(await store.admin.byUser('ada'), []);
    assert.equal(await store.admin.count(Date.now()), 1);
    assert.equal(await store.admin.prune(Date.now(), 10), 1);
    await store.delete('other');
    assert.deepEqual(await redis.keys('*'), ['madeleine:user:ada']);
  });

  it('the index of a user knows of every session for longer than it lives, however often it is prolonged', async () => {
    await redis.flushall();
    const clock = createTestClock(now);
    const store = redisStore(redis, { clock });
    let record = sampleRecord(now, { userId: 'ada' });
    await store.create('key', record);
    for (const [step, hours] of [1, 5, 70, 10, 2, 60, 30, 3, 72, 1, 40, 12].entries()) {
      clock.advance('7h');
      const expiresAt = clock() + hours * HOUR;
      if (step % 3 === 2) {
        record = { ...record, version: record.version + 1, expiresAt };
        await store.replace('key', record, record.version - 1);
      } else {
        await store.touch('key', clock(), expiresAt);
      }
      const { expiresAt: stored } = (await store.read('key')) as { expiresAt: number };
      assert.ok(Number(await redis.zscore('madeleine:user:ada', 'key')) >= stored);
      assert.ok((await redis.pttl('madeleine:user:ada')) >= stored - clock() - 1_000);
      assert.equal((await store.admin.byUser('ada')).length, 1);
    }
  });

  it('a session whose life is cut short counts, and is pruned, by its new end', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now));
    await store.replace('key', sampleRecord(now, { version: 2, expiresAt: now + HOUR / 2 }), 1);
    assert.equal(await store.admin.count(now + HOUR / 2), 0);
    assert.equal(await store.admin.prune(now + HOUR / 2, 10), 1);
  });

  it('the index of a user keeps nothing that has ended', async () => {
    await redis.flushall();
    const clock = createTestClock(now - 2 * DAY);
    const store = redisStore(redis, { clock });
    const record = sampleRecord(clock(), { userId: 'ada' });
    for (const key of ['deleted', 'replaced', 'expired', 'lasting']) await store.create(key, record);
    await store.delete('deleted');
    await store.replace('replaced', { ...record, version: 2, userId: null }, 1);
    assert.deepEqual((await redis.zrange('madeleine:user:ada', '0', '-1')).sort(), ['expired', 'lasting']);
    await store.touch('lasting', now, now + 9 * DAY);
    clock.advance('2d');
    await store.create('next', sampleRecord(clock(), { userId: 'ada' }));
    assert.deepEqual((await redis.zrange('madeleine:user:ada', '0', '-1')).sort(), ['lasting', 'next']);
    assert.equal(await store.admin.deleteByUser('ada'), 2);
    assert.equal(await redis.exists('madeleine:user:ada'), 0);
  });

  it('a process whose clock is days ahead takes no live session from the index of its user', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now, { userId: 'ada' }));
    const ahead = redisStore(redis, { clock: () => now + 3 * DAY });
    await ahead.create('next', sampleRecord(now + 3 * DAY, { userId: 'ada' }));
    assert.equal(await store.admin.deleteByUser('ada'), 2);
    assert.equal(await store.read('key'), null);
  });

  it('a session that is being created while its user is logged out everywhere stays in the index', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now, { userId: 'ada' }));
    await redis.zadd('madeleine:user:ada', now + DAY, 'under way');
    assert.equal(await store.admin.deleteByUser('ada'), 1);
    assert.deepEqual(await redis.zrange('madeleine:user:ada', '0', '-1'), ['under way']);
  });

  /** A store that is overtaken: once it has looked into an index that holds 'key', something else happens first. */
  function overtaken(happens: () => unknown): ServerStore {
    return redisStore({
      async call(command: string, args: string[]) {
        const answer = await redis.call(command, args);
        if (/^ZRANGE/.test(command) && (answer as string[]).includes('key')) await happens();
        return answer;
      },
    });
  }

  it('what is prolonged, or changes its user, before prune or deleteByUser come to it stays', async () => {
    const store = await fresh();
    const record = sampleRecord(now, { userId: 'ada' });
    await store.create('key', record);
    const prolonged = overtaken(() => store.touch('key', now, now + 3 * HOUR));
    assert.equal(await prolonged.admin.prune(now + 2 * HOUR, 10), 0);
    assert.equal((await store.read('key'))?.expiresAt, now + 3 * HOUR);
    const changed = overtaken(() => store.replace('key', { ...record, version: 2, userId: 'eve' }, 1));
    assert.equal(await changed.admin.deleteByUser('ada'), 0);
    assert.equal((await store.read('key'))?.userId, 'eve');
    // Not least a tombstone: revokeAll() follows it to the session that a rotation has led to.
    const stone = sampleRecord(now, { version: 3, userId: null, successor: 'next' });
    const rotated = overtaken(() => store.replace('key', stone, 2));
    assert.equal(await rotated.admin.deleteByUser('eve'), 0);
    assert.deepEqual(await store.read('key'), stone);
  });

  it('a session whose id is rotated while it is looked for is found under the next', async () => {
    const store = await fresh();
    const record = sampleRecord(now, { userId: 'ada' });
    await store.create('key', record);
    const rotated = overtaken(async () => {
      await store.create('next', record);
      await store.replace('key', { ...record, version: 2, userId: null, successor: 'next' }, 1);
    });
    assert.deepEqual(await rotated.admin.byUser('ada'), [['next', record]]);
  });

  it('a touch whose session changes its user meanwhile lets the index of the new one know', async () => {
    const store = await fresh();
    const record = sampleRecord(now, { userId: 'ada' });
    await store.create('key', record);
    let overtaken = false;
    const late = redisStore({
      async call(command: string, args: string[]) {
        const answer = await redis.call(command, args);
        if (args.includes('madeleine:user:ada') && !overtaken) {
          overtaken = true;
          await store.replace('key', { ...record, version: 2, userId: 'eve' }, 1);
        }
        return answer;
      },
    });
    assert.equal(await late.touch('key', now + 1, now + 9 * DAY), true);
    assert.ok(overtaken);
    assert.ok(Number(await redis.zscore('madeleine:user:eve', 'key')) > now + 9 * DAY);
  });

  it('the index of a user lives as long as the longest of their sessions, whichever comes last', async () => {
    const store = await fresh();
    await store.create('remembered', sampleRecord(now, { userId: 'ada', expiresAt: now + 30 * DAY }));
    await store.create('key', sampleRecord(now, { userId: 'ada' }));
    assert.ok((await redis.pttl('madeleine:user:ada')) > 30 * DAY);
  });

  it("no session becomes a user's unless the index of that user knows of it", async () => {
    const store = await fresh();
    const stopped = redisStore({
      async call(command: string, args: string[]) {
        if (args.includes('madeleine:user:ada')) throw new Error('it stops here');
        return redis.call(command, args);
      },
    });
    const login = sampleRecord(now, { version: 2, userId: 'ada' });
    await assert.rejects(async () => stopped.create('new', login), /it stops here/);
    assert.equal(await store.read('new'), null);
    await store.create('key', sampleRecord(now));
    await assert.rejects(async () => stopped.replace('key', login, 1), /it stops here/);
    assert.deepEqual(await store.read('key'), sampleRecord(now));
  });

  it('a write whose record has expired by then is done, and gone in a moment', async () => {
    const store = await fresh();
    assert.equal(await store.create('key', sampleRecord(now, { expiresAt: now - 1 })), true);
    await store.create('other', sampleRecord(now));
    const ended = sampleRecord(now, { version: 2, expiresAt: now - 1 });
    assert.deepEqual(await store.replace('other', ended, 1), { ok: true });
    while ((await redis.keys('madeleine:{*}:*')).length > 0) await delay(1);
  });

  it('the index of a user that knows of a session for longer already is not told of less', async () => {
    const store = await fresh();
    await redis.zadd('madeleine:user:ada', now + 9 * DAY, 'key');
    await store.create('key', sampleRecord(now, { userId: 'ada' }));
    assert.equal(Number(await redis.zscore('madeleine:user:ada', 'key')), now + 9 * DAY);
  });

  it('any number of processes write to one session', async () => {
    const store = await fresh();
    await store.create('key', sampleRecord(now, { userId: 'ada' }));
    for (let version = 2; version < 12; version++) {
      const record = sampleRecord(now, { version, userId: 'ada' });
      assert.deepEqual(await redisStore(redis).replace('key', record, version - 1), { ok: true });
      assert.deepEqual(await store.read('key'), record);
    }
  });

  it('applications with prefixes of their own share a server', async () => {
    await redis.flushall();
    const [shop, forum] = [redisStore(redis, { prefix: 'shop:' }), redisStore(redis, { prefix: 'forum:' })];
    await shop.create('key', sampleRecord(now, { userId: 'ada', data: '"shop"' }));
    await forum.create('key', sampleRecord(now, { userId: 'ada', data: '"forum"' }));
    assert.equal(await shop.admin.deleteByUser('ada'), 1);
    assert.equal(await shop.admin.count(now), 0);
    assert.deepEqual(
      (await forum.admin.byUser('ada')).map(([, { data }]) => data),
      ['"forum"'],
    );
  });

  it('a client that gives bytes where others give text will do', async () => {
    await redis.flushall();
    const store = redisStore((await nodeRedis(server.url)).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }));
    const record = sampleRecord(now, { userId: 'ada', data: '"é"' });
    assert.equal(await store.create('key', record), true);
    assert.deepEqual(await store.replace('key', record, 9), { ok: false, current: record });
    assert.deepEqual(await store.admin.byUser('ada'), [['key', record]]);
    assert.equal(await store.delete('key'), true);
  });

  it('a walk through many records sees each once', async () => {
    const store = await fresh();
    const keys = Array.from({ length: 3_000 }, (_, i) => `key-${i}`);
    // Within a bucket they stand by the time they expire, and are walked by their keys.
    await Promise.all(keys.map((key, i) => store.create(key, sampleRecord(now, { expiresAt: now + HOUR - i }))));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.admin.page>> = await store.admin.page(cursor, 97);
      seen.push(...page.entries.map(([key]) => key));
      cursor = page.cursor;
    } while (cursor !== null);
    assert.deepEqual(seen.sort(), keys.sort());
    // Of a million sessions each index has a thousand: a page reads no more of them than it is filled from, and as many again.
    const page = names(await commandsOf(() => Promise.resolve(store.admin.page(null, 10))));
    assert.ok(page.filter(name => name === 'zrange').length <= 15, `${page}`);
    assert.equal(await store.admin.count(now), 3_000);
    let pruned = 0;
    for (let batch = 500; batch === 500; pruned += batch) batch = await store.admin.prune(now + 2 * HOUR, 500);
    assert.equal(pruned, 3_000);
    assert.deepEqual(await redis.keys('*'), []);
  });

  it('docs/stores.md: a store on a client, ready', async () => {
    const text = readFileSync('docs/stores.md', 'utf8');
    const code = /^```js redis\n(.*?)^```/ms.exec(text)?.[1];
    const script = `process.env.REDIS_URL = '${server.url}';\n${code}\nconsole.log(await store.read('absent')); client.destroy();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
    assert.equal(stdout, 'null\n');
  });

  it('close leaves a client open that it was given, and closes the connection that it opened', async () => {
    await redisStore(redis).close();
    assert.equal(await redis.ping(), 'PONG');
    const store = redisStore(server.url);
    const clients = async () => Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
    const others = await clients();
    await store.ready();
    assert.equal(await clients(), others + 1);
    await Promise.all([store.create('closing', sampleRecord(now)), store.close()]);
    await store.close();
    assert.equal((await redisStore(redis).read('closing'))?.version, 1);
    while ((await clients()) !== others) await delay(5);
    await assert.rejects(async () => store.read('key'), { code: 'ERR_STORE_FAILED', message: /is closed/ });
  });

  it('close waits for a call to its end, also where that takes several commands', async () => {
    await redis.flushall();
    const store = redisStore(server.url);
    await store.ready();
    await redis.script('FLUSH');
    const created = store.create('closing', sampleRecord(now, { userId: 'ada' }));
    const [done] = await Promise.all([created, store.close()]);
    assert.equal(done, true);
    assert.equal((await redisStore(redis).admin.byUser('ada')).length, 1);
  });

  it('a connection that is being opened while the store is closed is closed too', async () => {
    const clients = async () => Number(/connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
    const others = await clients();
    const store = redisStore(server.url);
    const ready = assert.rejects(store.ready(), { code: 'ERR_STORE_FAILED', message: /is closed/ });
    await store.close();
    await ready;
    while ((await clients()) !== others) await delay(5);
  });

  describe('when an answer is lost and the client asks again', async () => {
    const network = await startNetwork(server.port);
    after(() => network.close());
    const again = await ioRedis(`redis://127.0.0.1:${network.port}`);

    /** Runs what writes, loses the answer to it, has others do something, and lets the client connect again. */
    async function losing<T>(write: () => Promise<T> | T, meanwhile = async (): Promise<unknown> => null): Promise<T> {
      const lost = network.loseNextAnswer();
      const written = write();
      await lost;
      await meanwhile();
      network.restore();
      return written;
    }

    it('a write is known to be done', async () => {
      const [store, other] = [redisStore(again), await fresh()];
      await store.ready();
      assert.equal(await losing(() => store.create('key', sampleRecord(now))), true);
      assert.deepEqual(await losing(() => store.replace('key', sampleRecord(now, { version: 2 }), 1)), { ok: true });
      assert.equal((await other.read('key'))?.version, 2);
    });

    it('even if three others have written since, time after time', async () => {
      const [store, other] = [redisStore(again), await fresh()];
      await store.create('key', sampleRecord(now));
      const others = async () => {
        let version = 2;
        const writers = [other, redisStore(redis), redisStore(redis)];
        for (const writer of [...writers, ...writers]) {
          for (let i = 0; i < 5; i++, version++) {
            const replaced = await writer.replace('key', sampleRecord(now, { version: version + 1 }), version);
            assert.ok(replaced.ok);
          }
        }
      };
      const written = losing(() => store.replace('key', sampleRecord(now, { version: 2 }), 1), others);
      assert.deepEqual(await written, { ok: true });
      assert.equal((await other.read('key'))?.version, 32);
    });

    it('whatever the writer calls itself', async () => {
      await redis.flushall();
      const twice = {
        async call(command: string, args: string[]) {
          await redis.call(command, args);
          return redis.call(command, args);
        },
      };
      // Of names like these one in eight holds a "-", which means something to Lua where it looks for patterns.
      for (let i = 0; i < 60; i++) assert.equal(await redisStore(twice).create(`key-${i}`, sampleRecord(now)), true);
    });

    it("somebody else's write of the same version is still somebody else's", async () => {
      const [store, other] = [redisStore(again), await fresh()];
      await store.create('key', sampleRecord(now));
      const theirs = sampleRecord(now, { version: 2, data: '"theirs"' });
      await other.replace('key', theirs, 1);
      const refused = await losing(() => store.replace('key', sampleRecord(now, { version: 2 }), 1));
      assert.deepEqual(refused, { ok: false, current: theirs });
    });

    it('a request changes its session once', async () => {
      await redis.flushall();
      const race: Race = await createRace(redisStore(again));
      const client = race.client();
      await client.get('/set/theme/dark');
      for (const [path, operation] of [
        ['/add/tea', 'cart'],
        ['/count', 'visits'],
      ] as const) {
        const answer = client.get(`${path}?wait=${operation}&early`);
        await race.waiting(operation);
        const lost = network.loseNextAnswer();
        race.go(operation);
        await lost;
        network.restore();
        assert.equal((await answer).status, 200);
      }
      const { cart, visits } = (await client.get('/data')).json();
      assert.deepEqual({ cart, visits }, { cart: ['tea'], visits: 1 });
      await race.close();
    });
  });
});
