import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { until } from './daemon.ts';
import { freePort } from './ports.ts';
import { type RedisOptions, type RedisServer, startRedisOn } from './redis.ts';

const SLOTS = 16_384;

export interface ClusterNode extends RedisServer {
  /** What it is when the cluster starts: a failover changes it, see `masterOf`. */
  readonly role: 'master' | 'replica';
}

export interface RedisCluster {
  /** Three masters, then the replica of each in the same order. */
  readonly nodes: ClusterNode[];
  /** The node that is the master for a key now, by the newest view of all nodes that answer. */
  masterOf(key: string): Promise<ClusterNode>;
  /** Resolves once every node says that the cluster works and every replica has its copy. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts three masters and three replicas. Each node starts with a nodes.conf that names them all: they need not be
 * introduced to each other, and the cluster works as soon as Redis lets a new one work, after two seconds.
 */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisCluster> {
  const plans: Array<{ id: string; port: number }> = [];
  for (let index = 0; index < 6; index++) plans.push({ id: randomBytes(20).toString('hex'), port: await freePort() });
  const line = (index: number, self: number): string => {
    const { id, port } = plans[index]!;
    const master = index % 3;
    const slots = `${Math.ceil((SLOTS * master) / 3)}-${Math.ceil((SLOTS * (master + 1)) / 3) - 1}`;
    const myself = index === self ? 'myself,' : '';
    const role = index < 3 ? 'master -' : `slave ${plans[master]!.id}`;
    const state = `0 0 ${master + 1} ${index === self ? 'connected' : 'disconnected'}`;
    return `${id} 127.0.0.1:${port}@${port + 10_000} ${myself}${role} ${state}${index < 3 ? ` ${slots}` : ''}\n`;
  };
  const nodesFile = (self: number): string =>
    `${plans.map((_, index) => line(index, self)).join('')}vars currentEpoch 3 lastVoteEpoch 0\n`;
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 2000, ...options.settings };

  const nodes = await Promise.all(
    plans.map(async ({ port }, index): Promise<ClusterNode> => {
      const server = await startRedisOn(port, { ...options, settings }, { 'nodes.conf': nodesFile(index) });
      return { ...server, role: index < 3 ? 'master' : 'replica' };
    }),
  );

  const cluster: RedisCluster = {
    nodes,
    async masterOf(key) {
      const replies = await Promise.allSettled(
        nodes.map(node => ask(node, ['CLUSTER', 'KEYSLOT', key], ['CLUSTER', 'NODES'])),
      );
      const views = replies.flatMap(reply => (reply.status === 'fulfilled' ? [reply.value as [number, string]] : []));
      const claims = views.flatMap(([slot, view]) => mastersIn(view, slot)).sort((a, b) => b.epoch - a.epoch);
      const master = nodes.find(node => node.port === claims[0]?.port);
      if (!master) throw new Error(`No node knows a master for the slot of ${key}`);
      return master;
    },
    ready: () =>
      until('the cluster to work', async () => {
        const states = await Promise.all(nodes.map(node => ask(node, ['CLUSTER', 'INFO'], ['INFO', 'replication'])));
        return states.every(reply => {
          const text = (reply as string[]).join('');
          return text.includes('cluster_state:ok') && /master_link_status:up|connected_slaves:[1-9]/.test(text);
        });
      }),
    async stop() {
      await Promise.all(nodes.map(node => node.stop()));
    },
  };
  await cluster.ready();
  return cluster;
}

/** Who has the slot, in what a node's CLUSTER NODES says. Where nodes differ, the highest epoch is right. */
function mastersIn(view: string, wanted: number): Array<{ port: number; epoch: number }> {
  return view.split('\n').flatMap(line => {
    const [, address = '', flags = '', , , , epoch, , ...ranges] = line.split(' ');
    const has = ranges.some(range => {
      const [from = Number.NaN, to = from] = range.split('-').map(Number);
      return wanted >= from && wanted <= to;
    });
    if (!has || !flags.includes('master')) return [];
    return [{ port: Number(/:(\d+)@/.exec(address)?.[1]), epoch: Number(epoch) }];
  });
}

/** Sends commands over a connection of their own; rejects when the server does not answer within a second. */
export async function ask(server: { url: string }, ...commands: string[][]): Promise<unknown[]> {
  const client = createClient({
    url: server.url,
    socket: { reconnectStrategy: false, connectTimeout: 1000, socketTimeout: 1000 },
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const replies: unknown[] = [];
    for (const command of commands) replies.push(await client.sendCommand(command));
    return replies;
  } finally {
    client.destroy();
  }
}
