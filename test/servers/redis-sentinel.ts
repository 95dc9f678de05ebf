import { randomBytes } from 'node:crypto';
import { type Server, until } from './daemon.ts';
import { freePort } from './ports.ts';
import { program } from './programs.ts';
import { type RedisOptions, type RedisServer, startRedisDaemon, startRedisOn } from './redis.ts';
import { ask } from './redis-cluster.ts';

export interface RedisSentinel {
  /** The name under which the Sentinels know the master. */
  readonly name: string;
  readonly sentinels: Server[];
  /** The master when it starts, and its replica. */
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** The server that the Sentinels call the master now. */
  currentMaster(): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Starts a master, its replica and three Sentinels that know each other, and fail over one second after the master is gone. */
export async function startSentinel(options: RedisOptions = {}): Promise<RedisSentinel> {
  const name = 'mymaster';
  const binary = options.binary ?? program('redis');
  const master = await startRedisOn(await freePort(), options);
  const replica = await startRedisOn(await freePort(), {
    ...options,
    settings: { ...options.settings, replicaof: `127.0.0.1 ${master.port}` },
  });

  const plans: Array<{ id: string; port: number }> = [];
  for (let index = 0; index < 3; index++) plans.push({ id: randomBytes(20).toString('hex'), port: await freePort() });
  const sentinels = await Promise.all(
    plans.map(async ({ id, port }): Promise<Server> => {
      const others = plans.filter(other => other.port !== port);
      const lines = [
        `sentinel myid ${id}`,
        `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`,
        `sentinel down-after-milliseconds ${name} 1000`,
        `sentinel failover-timeout ${name} 5000`,
        ...(options.password ? [`sentinel auth-pass ${name} ${options.password}`] : []),
        `sentinel known-replica ${name} 127.0.0.1 ${replica.port}`,
        ...others.map(other => `sentinel known-sentinel ${name} 127.0.0.1 ${other.port} ${other.id}`),
      ];
      const daemon = await startRedisDaemon(binary, port, `${lines.join('\n')}\n`, ['--sentinel']);
      return { ...daemon, port, url: `redis://127.0.0.1:${port}` };
    }),
  );

  await until('the Sentinels to see the replica', async () => {
    const views = await Promise.all(sentinels.map(sentinel => ask(sentinel, ['SENTINEL', 'CKQUORUM', name])));
    const [info] = (await ask(replica, ['INFO', 'replication'])) as [string];
    return views.length === 3 && info.includes('master_link_status:up');
  });

  const servers = [master, replica];
  return {
    name,
    sentinels,
    master,
    replica,
    async currentMaster() {
      for (const sentinel of sentinels) {
        const reply = await ask(sentinel, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]).catch(() => undefined);
        const [, port] = (reply?.[0] ?? []) as string[];
        const found = servers.find(server => server.port === Number(port));
        if (found) return found;
      }
      throw new Error('No Sentinel answers');
    },
    async stop() {
      await Promise.all([...sentinels, ...servers].map(server => server.stop()));
    },
  };
}
