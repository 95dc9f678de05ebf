/**
 * The names of the store's keys in Redis. Every session lives in one of 1,024 buckets, by a hash of its key. A bucket has an
 * index, a sorted set of its sessions by the time they expire; the braces put both into one slot of a Cluster, so that a script
 * keeps them in step. Over the indexes the store counts, prunes and walks, as a SCAN could not: that starts again on another
 * node when a master fails over, knows nothing of times, and shows records twice when a table shrinks.
 *
 * So many buckets spread evenly (within 6 % over 16 masters), and are few enough to be asked all in some milliseconds.
 */
export const BUCKETS = 1024;

export interface RedisNames {
  record(key: string): string;
  bucket(number: number): string;
  /** The index of a user's sessions, which live in any buckets. It may list too much, never too little. */
  user(userId: string): string;
  /** The keys of a script on one session: its record, and the index of its bucket. */
  forScript(key: string): [record: string, bucket: string];
}

export function redisNames(prefix: string): RedisNames {
  const bucket = (number: number) => `${prefix}{${number}}`;
  const record = (key: string) => `${bucket(bucketOf(key))}:${key}`;
  return {
    record,
    bucket,
    user: userId => `${prefix}user:${userId}`,
    forScript: key => [record(key), bucket(bucketOf(key))],
  };
}

/** FNV-1a: keys are random, but a store takes any text. Where sessions are stored depends on it: it is never changed. */
function bucketOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}
