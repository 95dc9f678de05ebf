// What cannot work is refused with one clear error that names the fix.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net, { type AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Cluster, Redis } from 'ioredis';
import { type RedisClient, type RedisStoreOptions, redisStore } from 'madeleine/redis';
import { createClient } from 'redis';
import { need } from '../servers/need.ts';
import { freePort } from '../servers/ports.ts';
import { startRedis, startRedisOn } from '../servers/redis.ts';
import { cert, key } from '../support/certificate.ts';
import { temporaryFiles } from '../support/temporary-files.ts';
import { runInProject } from './support/project.ts';
import { ioRedis, nodeRedis } from './support/redis-clients.ts';
import { sampleRecord } from './support/sample-record.ts';

const skip = need('redis');
const require = createRequire(import.meta.url);

interface Expected {
  code: string;
  message: RegExp;
}

/** The error is the same from `ready` at the start and from the first call of a request. */
async function refuses(open: () => ReturnType<typeof redisStore>, expected: Expected): Promise<void> {
  for (const call of ['ready', 'read'] as const) {
    const store = open();
    try {
      await assert.rejects(async () => (call === 'ready' ? store.ready() : store.read('key')), expected);
    } finally {
      await store.close();
    }
  }
}

describe('redisStore refuses', { skip }, async () => {
  const server = await startRedis({ appendonly: 'no', password: 'open:sesame' });
  after(() => server.stop());
  const redis = await ioRedis(server.url);
  const at = (user: string) => `redis://${user}127.0.0.1:${server.port}`;

  it('a text that is not the URL of a Redis, without showing it', () => {
    const cases: Array<[url: string, message: RegExp]> = [
      ['sessions.db', /not a Redis URL.*redis:\/\/user:password@host/],
      ['redis://user:pa ss@host:port', /not a Redis URL/],
      ['', /not a Redis URL/],
      ['redis://user:100%pure@localhost', /has a % that begins no percent-encoding.*%25/],
      ['postgres://user:pass@localhost/0', /not the URL of a Redis/],
      ['redis://user:pass@localhost/sessions', /not the number of a database/],
    ];
    for (const [url, message] of cases) {
      assert.throws(
        () => redisStore(url),
        (error: { code: string; message: string }) => {
          assert.equal(error.code, 'ERR_STORE_INVALID');
          assert.match(error.message, message);
          assert.ok(!/pa ss|pure/.test(error.message) && !error.message.includes(':pass@l'));
          return true;
        },
      );
    }
  });

  it('what is no client', () => {
    for (const wrong of [undefined, null, 1, {}, { get: () => null }, new URL(server.url)]) {
      assert.throws(() => redisStore(wrong as unknown as RedisClient), {
        code: 'ERR_STORE_INVALID',
        message: /neither a Redis URL nor a client/,
      });
    }
  });

  it('a client that answers callbacks', async () => {
    const client = await nodeRedis(server.url);
    await refuses(() => redisStore(client.legacy() as unknown as RedisClient), {
      code: 'ERR_STORE_INVALID',
      message: /answers callbacks.*without legacy\(\)/,
    });
  });

  it('wrong options', () => {
    const wrong: Array<[options: object, code: string]> = [
      [{ keyPrefix: 'shop:' }, 'ERR_OPTION_UNKNOWN'],
      [{ prefix: '' }, 'ERR_OPTION_INVALID'],
      [{ prefix: '{shop}:' }, 'ERR_OPTION_INVALID'],
      [{ wait: { replicas: 0, timeout: '1s' } }, 'ERR_OPTION_INVALID'],
      [{ wait: { replicas: 1, timeout: 'soon' } }, 'ERR_OPTION_INVALID'],
    ];
    for (const [options, code] of wrong) {
      assert.throws(() => redisStore(redis, options as RedisStoreOptions), { code }, JSON.stringify(options));
    }
  });

  it('a Cluster client that reads from replicas', () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true, scaleReads: 'slave' });
    assert.throws(() => redisStore(cluster), { code: 'ERR_STORE_INVALID', message: /reads from replicas.*'master'/ });
  });

  it('a wrong password, or none', async () => {
    const refused = { code: 'ERR_STORE_INVALID', message: /did not accept the user name and password.*user:password@/ };
    await refuses(() => redisStore(at('default:guess@')), refused);
    await refuses(() => redisStore(at('nobody:open%3Asesame@')), refused);
    await refuses(() => redisStore(at('')), refused);
    const client = new Redis(at(''), { lazyConnect: true, enableReadyCheck: false });
    client.on('error', () => {});
    after(() => client.disconnect());
    await refuses(() => redisStore(client), refused);
    await redisStore(at(':open%3Asesame@').replace('redis:', 'valkey:')).ready();
  });

  it('a user who may not do what the store needs; one who may needs no more', async () => {
    await redis.acl('SETUSER', 'poor', 'on', '>poor', '~*', '+get', '+info');
    const poor = redisStore(at('poor:poor@'));
    await assert.rejects(async () => poor.create('key', sampleRecord(Date.now())), {
      code: 'ERR_STORE_INVALID',
      message: /may not do what the store needs.*docs\/stores\.md/,
    });
    await poor.close();
    // As docs/stores.md has it.
    const rules = '~madeleine:* +get +evalsha +eval +set +getrange +setrange +del +pexpire +pttl'.split(' ');
    const more = '+zadd +zrem +zrange +zrangebyscore +zremrangebyscore +zcount +time'.split(' ');
    await redis.acl('SETUSER', 'enough', 'on', '>enough', ...rules, ...more);
    const store = redisStore(at('enough:enough@'));
    const record = sampleRecord(Date.now(), { userId: 'ada' });
    await store.create('key', record);
    await store.touch('key', record.lastSeenAt + 1, record.expiresAt + 48 * 3_600_000);
    await store.replace('key', { ...record, version: 2, expiresAt: record.expiresAt + 48 * 3_600_000 }, 1);
    assert.equal((await store.admin.byUser('ada')).length, 1);
    assert.equal((await store.admin.page(null, 5)).entries.length, 1);
    assert.equal(await store.admin.count(record.createdAt), 1);
    assert.equal(await store.admin.prune(record.createdAt, 5), 0);
    assert.equal(await store.admin.deleteByUser('ada'), 1);
    assert.equal(await store.delete('key'), false);
    await store.close();
  });

  it('a client that was never connected', async () => {
    const client = createClient({ url: server.url });
    const call = async () => redisStore(client).read('key');
    await assert.rejects(call, { code: 'ERR_STORE_FAILED', message: /not open.*await client\.connect\(\)/ });
  });

  it('a server that cannot be reached, and says why', async () => {
    const message = /cannot be reached: connect ECONNREFUSED 127\.0\.0\.1.*host and port/;
    await refuses(() => redisStore('redis://127.0.0.1:1'), { code: 'ERR_STORE_FAILED', message });
  });

  it('a node of a Cluster, and a Sentinel, by the wrong client', async () => {
    const node = await startRedis({ appendonly: 'no', settings: { 'cluster-enabled': 'yes' } });
    after(() => node.stop());
    const message = /node of a Cluster.*createCluster/;
    await refuses(() => redisStore(node.url), { code: 'ERR_STORE_INVALID', message });
    for (const mode of ['redis_mode', 'server_mode']) {
      const sentinel = await fakeServer(`redis_version:7.2.4\r\n${mode}:sentinel\r\n`);
      await refuses(() => redisStore(sentinel), { code: 'ERR_STORE_INVALID', message: /is a Sentinel.*the master/ });
    }
  });

  it('a server by TLS, unless somebody vouches for its certificate', async () => {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const settings = { 'tls-port': tlsPort, 'tls-cert-file': 'cert', 'tls-key-file': 'key', 'tls-auth-clients': 'no' };
    const secure = await startRedisOn(port, { appendonly: 'no', settings }, { cert, key });
    after(() => secure.stop());
    const url = `rediss://127.0.0.1:${tlsPort}`;
    await refuses(() => redisStore(url), { code: 'ERR_STORE_FAILED', message: /cannot be reached: self.signed cert/ });
    const script = `
      import { redisStore } from 'madeleine/redis';
      const store = redisStore('${url}');
      await store.ready();
      console.log(await store.read('key'));
      await store.close();`;
    const driver = { 'index.js': `module.exports = require(${JSON.stringify(require.resolve('redis'))})` };
    const file = temporaryFiles('.pem')();
    writeFileSync(file, cert);
    assert.equal(runInProject(script, { redis: driver }, { NODE_EXTRA_CA_CERTS: file, DENO_CERT: file }), 'null\n');
  });

  it('a server that is too old', async () => {
    const message = /version of this Redis is .*6\.2 or later, or Valkey/;
    const [old, older] = [await fakeServer('redis_version:6.0.16\r\n'), await fakeServer(null)];
    await refuses(() => redisStore(old), { code: 'ERR_STORE_INVALID', message });
    await refuses(() => redisStore(older), { code: 'ERR_STORE_INVALID', message });
    const client = new Redis(older, { lazyConnect: true, enableReadyCheck: false });
    after(() => client.disconnect());
    await refuses(() => redisStore(client), { code: 'ERR_STORE_INVALID', message });
  });

  it('what another program, or a newer madeleine, has put in the place of a session', async () => {
    const store = redisStore(redis);
    await store.create('key', sampleRecord(Date.now()));
    const [name = ''] = await redis.keys('madeleine:{*}:key');
    await redis.set(name, '2 something else');
    const refused = { code: 'ERR_STORE_INVALID', message: /not written by this madeleine/ };
    await assert.rejects(async () => store.read('key'), refused);
    assert.equal(await store.create('key', sampleRecord(Date.now())), false);
    await assert.rejects(async () => store.replace('key', sampleRecord(Date.now(), { version: 2 }), 1), refused);
    const later = Date.now() + 1000;
    await assert.rejects(async () => store.touch('key', later, later), /no record of madeleine/);
    await assert.rejects(async () => store.delete('key'), /no record of madeleine/);
    assert.equal(await redis.get(name), '2 something else');
    await redis.del(name);
  });

  it('without showing what was sent', async () => {
    const store = redisStore(redis);
    await store.create('private', sampleRecord(Date.now()));
    const [name = ''] = await redis.keys('madeleine:{*}:private');
    await redis.set(name.slice(0, -':private'.length), 'in the way');
    const record = sampleRecord(Date.now(), { version: 2, data: '"diary"' });
    await assert.rejects(
      async () => store.replace('private', record, 1),
      error => /WRONGTYPE/.test(String(error)) && !inspect(error).includes('diary'),
    );
    const client = new Redis(at('default:guess@'), { lazyConnect: true, enableReadyCheck: false });
    client.on('error', () => {});
    after(() => client.disconnect());
    await assert.rejects(redisStore(client).ready(), error => !inspect(error).includes('guess'));
    await redis.flushall();
  });

  it('a URL without a driver', () => {
    const script = `
      import { redisStore } from 'madeleine/redis';
      try { redisStore('redis://127.0.0.1'); } catch (error) { console.log(error.message); }`;
    assert.match(runInProject(script), /"redis" is not installed.*npm install redis \(ERR_DRIVER_MISSING\)/);
  });

  it('nothing, where ioredis is the only driver: the contract holds over a URL', () => {
    const script = `
      import { redisStore } from 'madeleine/redis';
      import { createTestClock, storeChecks } from 'madeleine/testing';
      let kept = 0;
      const checks = storeChecks.filter(({ admin }) => !admin);
      for (const check of checks) {
        const clock = createTestClock(Date.now());
        const store = redisStore('${server.url}', { clock, prefix: 'check-' + kept + ':' });
        await check.run(store, clock);
        await store.close();
        kept++;
      }
      console.log(kept === checks.length);
      await redisStore('redis://:guess@127.0.0.1:${server.port}').ready().catch(error => console.log(error.code));
      await redisStore('redis://127.0.0.1:1').ready().catch(error => console.log(error.message));`;
    const ioredis = { 'index.js': `module.exports = require(${JSON.stringify(require.resolve('ioredis'))})` };
    assert.match(
      runInProject(script, { ioredis }),
      /^true\nERR_STORE_INVALID\nRedis cannot be reached: connect ECONNREFUSED .*\n$/,
    );
  });
});

/** A server that cannot be run here: says this when asked for its INFO, and does not know HELLO if it says nothing. */
async function fakeServer(info: string | null): Promise<string> {
  const listener = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', data => {
      // A client may send several commands at once: one answer for each.
      for (const command of data.toString().match(/\*\d+\r\n\$\d+\r\n\w+/g) ?? []) {
        if (/INFO$/i.test(command)) {
          const text = info ?? 'redis_version:5.0.14\r\n';
          socket.write(`$${text.length}\r\n${text}\r\n`);
        } else if (/HELLO$/i.test(command)) {
          socket.write(info === null ? "-ERR unknown command 'HELLO'\r\n" : '%1\r\n+proto\r\n:3\r\n');
        } else socket.write('+OK\r\n');
      }
    });
  });
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  after(() => listener.close());
  return `redis://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}
