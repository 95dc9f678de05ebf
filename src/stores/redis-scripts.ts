/** What the store does in Redis, each as one script: it happens as a whole or not at all. */
import { createHash } from 'node:crypto';
import {
  AT,
  COLUMNS_WIDTH,
  column,
  LAYOUT,
  NUMBER_WIDTH,
  WRITE_WIDTH,
  WRITER_WIDTH,
  WRITES_WIDTH,
} from './redis-record.ts';

export interface Script {
  readonly text: string;
  /** By which Redis knows a script that it has run before. */
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Says of a record that no index has to know of it. */
export const NOT_LISTED: string = column(0);

/** Where a script finds a number's column in the text `from`, which counts from 1. */
const columnOf = (from: string, name: keyof typeof AT): string =>
  `string.sub(${from}, ${AT[name] + 1}, ${AT[name] + NUMBER_WIDTH})`;

/** The line of the user to whom the record, KEYS[1], belongs: `login()` takes no id whose line were longer than this. */
const OWNER = `string.match(redis.call('GETRANGE', KEYS[1], ${COLUMNS_WIDTH}, ${COLUMNS_WIDTH + 8191}), '^[^\\n]*')`;

/**
 * Creates or replaces a record, KEYS[1], and lets the index of its bucket, KEYS[2], know when it expires.
 * Answers: done, and whose index knows of the record no longer; refused, and what stands there; list: nothing was done,
 * because the user's index would not know of the record for as long as it lives.
 *
 * The shortest way is that of most writes, which change the data alone: one look at the record, and no more of it than is compared.
 */
export const put: Script = script(`
local expected, newTimes, newListedUntil, newVersion, write, lifetime, key, rest = unpack(ARGV)
local newExpiresAt = string.sub(newTimes, ${NUMBER_WIDTH + 1})
local newUser = string.sub(rest, 1, string.find(rest, '\\n', 1, true))

local stored = redis.call('GETRANGE', KEYS[1], 0, ${COLUMNS_WIDTH - 1} + #newUser)
local writes = string.sub(stored, ${AT.writes + 1}, ${COLUMNS_WIDTH})
if ${columnOf('stored', 'version')} ~= expected or (expected == '' and stored ~= '') then
  if string.find(writes, write, 1, true) then return { 'done' } end
  return { 'refused', redis.call('GET', KEYS[1]) }
end

local listedUntil = ${columnOf('stored', 'listedUntil')}
local unlisted
if stored ~= '' and listedUntil ~= '${NOT_LISTED}' then
  if string.sub(stored, ${COLUMNS_WIDTH + 1}) ~= newUser then
    unlisted = ${OWNER}
  elseif newExpiresAt <= listedUntil then
    newListedUntil = listedUntil
  end
end
if newListedUntil == '${NOT_LISTED}' and newUser ~= 'null\\n' then return { 'list' } end

-- One write for each writer, latest first; nearly always that is the same one as before.
local writer = string.sub(write, 1, ${WRITER_WIDTH})
if string.sub(writes, 1, ${WRITER_WIDTH}) == writer then
  writes = write .. string.sub(writes, ${WRITE_WIDTH + 1})
else
  local others = writes
  writes = write
  for at = 1, #others, ${WRITE_WIDTH} do
    local other = string.sub(others, at, at + ${WRITE_WIDTH - 1})
    if string.sub(other, 1, ${WRITER_WIDTH}) ~= writer then writes = writes .. other end
  end
  writes = string.sub(writes .. string.rep(' ', ${WRITES_WIDTH}), 1, ${WRITES_WIDTH})
end

redis.call('SET', KEYS[1], '${LAYOUT}' .. newTimes .. newListedUntil .. newVersion .. writes .. rest, 'PX', lifetime)
if newExpiresAt ~= ${columnOf('stored', 'expiresAt')} then redis.call('ZADD', KEYS[2], newExpiresAt, key) end
return { 'done', unlisted }
`);

/** Begins the scripts that only need to know when a record, KEYS[1], was seen and expires. Without a record `expiresAt` is ''. */
const TIMES = `
local columns = redis.call('GETRANGE', KEYS[1], 0, ${AT.version - 1})
if columns ~= '' and #columns < ${AT.version} then return redis.error_reply('ERR no record of madeleine') end
local expiresAt, listedUntil = ${columnOf('columns', 'expiresAt')}, ${columnOf('columns', 'listedUntil')}
`;

/** Moves the times forward. Answers done, absent, or list: nothing was done, as above; then it also says which user's. */
export const touch: Script = script(`${TIMES}
local newSeenAt, newExpiresAt, lifetime, key, listedUser, newListedUntil = unpack(ARGV)
if columns == '' then return { 'absent' } end
local lastSeenAt = ${columnOf('columns', 'lastSeenAt')}
if newSeenAt > lastSeenAt then lastSeenAt = newSeenAt end
if newExpiresAt > expiresAt then
  if listedUntil ~= '${NOT_LISTED}' and newExpiresAt > listedUntil then
    local owner = ${OWNER}
    if owner ~= listedUser then return { 'list', owner } end
    listedUntil = newListedUntil
  end
  expiresAt = newExpiresAt
  redis.call('PEXPIRE', KEYS[1], lifetime)
  redis.call('ZADD', KEYS[2], newExpiresAt, key)
end
redis.call('SETRANGE', KEYS[1], 1, lastSeenAt .. expiresAt .. listedUntil)
return { 'done' }
`);

/**
 * Removes a record, if it is this user's and has expired by then, where that is asked. Answers with how many records and how
 * many entries of the bucket's index went, and with the user whose index may still know of it.
 */
export const remove: Script = script(`${TIMES}
local key, onlyOf, onlyBy = unpack(ARGV)
local owner
if columns ~= '' and listedUntil ~= '${NOT_LISTED}' then owner = ${OWNER} end
if onlyOf ~= '' and onlyOf ~= owner then return { 0, 0 } end
if onlyBy ~= '' and expiresAt > onlyBy then return { 0, 0 } end
return { redis.call('DEL', KEYS[1]), redis.call('ZREM', KEYS[2], key), owner }
`);

/**
 * Lets the index of a user, KEYS[1], know of a record until a moment, and forgets what it needs to know no longer: what has ended
 * by the clocks of both the process and the server, because one that is days ahead would hide live sessions from `revokeAll()`.
 */
export const list: Script = script(`
local key, listedUntil, lifetime, now = unpack(ARGV)
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', math.min(now, time[1] * 1000))
redis.call('ZADD', KEYS[1], 'GT', listedUntil, key)
if redis.call('PTTL', KEYS[1]) < tonumber(lifetime) then redis.call('PEXPIRE', KEYS[1], lifetime) end
return { 'done' }
`);
