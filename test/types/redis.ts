// Compile-only: the clients that applications have fit the store as they are.
import { Cluster, Redis } from 'ioredis';
import { redisStore } from 'madeleine/redis';
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis';

const sentinelRootNodes = [{ host: 'localhost', port: 26379 }];

redisStore('redis://localhost:6379', { prefix: 'shop:', wait: { replicas: 1, timeout: '500ms' } });
redisStore(createClient());
redisStore(createClient({ RESP: 2, url: 'redis://localhost:6379' }));
redisStore(await createClient().connect());
redisStore(createClient().withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }));
redisStore(createClientPool());
redisStore(createSentinel({ name: 'mymaster', sentinelRootNodes }));
redisStore(createCluster({ rootNodes: [{ url: 'redis://localhost:7000' }] }));
redisStore(new Redis());
redisStore(new Redis({ name: 'mymaster', sentinels: sentinelRootNodes }));
redisStore(new Redis({ replyMapping: 'resp3' }));
redisStore(new Cluster([{ host: 'localhost', port: 7000 }]));
// @ts-expect-error: the settings of a client are not a client
redisStore({ url: 'redis://localhost:6379' });
// @ts-expect-error: no such option
redisStore('redis://localhost:6379', { keyPrefix: 'shop:' });
