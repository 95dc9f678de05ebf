/** What the store does in Redis, each as one script: it happens as a whole or not at all. */
import { createHash } from 'node:crypto';
import {
  COLUMNS_WIDTH,
  column,
  LAYOUT,
  NUMBER_WIDTH,
  WRITE_WIDTH,
  WRITER_WIDTH,
  WRITES_WIDTH,
} from './redis-record.ts';

/** Says of a record that no index has to know of it. */
export const NOT_LISTED: string = column(0);

/** Begins the scripts about a record, KEYS[1], and the index of its bucket, KEYS[2]. Without a record `version` is nil. */
const RECORD = `
local _, lastSeenAt, expiresAt, listedUntil, version, writes
local columns = redis.call('GETRANGE', KEYS[1], 0, ${COLUMNS_WIDTH - 1})
if columns ~= '' then
  _, lastSeenAt, expiresAt, listedUntil, version, writes =
    struct.unpack('c1${`c${NUMBER_WIDTH}`.repeat(4)}c${WRITES_WIDTH}', columns)
end

local function user()
  return string.match(redis.call('GETRANGE', KEYS[1], ${COLUMNS_WIDTH}, ${COLUMNS_WIDTH + 8191}), '^[^\\n]*')
end
`;

/**
 * Creates or replaces a record.
 * Answers: done, and whose index knows of the record no longer; refused, and what stands there; list: nothing was done,
 * because the user's index would not know of the record for as long as it lives.
 */
const PUT = `${RECORD}
local expected, newSeenAt, newExpiresAt, newListedUntil, newVersion, write = unpack(ARGV)
local lifetime, score, key, newUser, rest = unpack(ARGV, 7)

if (version or '') ~= expected then
  if version and string.find(writes, write, 1, true) then return { 'done' } end
  return { 'refused', redis.call('GET', KEYS[1]) }
end

local written = write
local unlisted
if version then
  -- One write for each writer, latest first.
  for at = 1, #writes, ${WRITE_WIDTH} do
    local other = string.sub(writes, at, at + ${WRITE_WIDTH - 1})
    if string.sub(other, 1, ${WRITER_WIDTH}) ~= string.sub(write, 1, ${WRITER_WIDTH}) then written = written .. other end
  end
  if listedUntil ~= '${NOT_LISTED}' then
    local oldUser = user()
    if oldUser ~= newUser then
      unlisted = oldUser
    elseif newListedUntil == '${NOT_LISTED}' and newExpiresAt <= listedUntil then
      newListedUntil = listedUntil
    end
  end
end
if newUser ~= 'null' and newListedUntil == '${NOT_LISTED}' then return { 'list' } end
written = string.sub(written .. string.rep(' ', ${WRITES_WIDTH}), 1, ${WRITES_WIDTH})

redis.call('SET', KEYS[1],
  '${LAYOUT}' .. newSeenAt .. newExpiresAt .. newListedUntil .. newVersion .. written .. newUser .. '\\n' .. rest,
  'PX', lifetime)
if newExpiresAt ~= expiresAt then redis.call('ZADD', KEYS[2], score, key) end
return { 'done', unlisted }
`;

/** Moves the times forward. Answers done, absent, or list: nothing was done, as above; then it also says which user's. */
const TOUCH = `${RECORD}
local newSeenAt, newExpiresAt, lifetime, score, key, listedUser, newListedUntil = unpack(ARGV)
if not version then return { 'absent' } end
if newSeenAt > lastSeenAt then lastSeenAt = newSeenAt end
if newExpiresAt > expiresAt then
  if listedUntil ~= '${NOT_LISTED}' and newExpiresAt > listedUntil then
    if user() ~= listedUser then return { 'list', user() } end
    listedUntil = newListedUntil
  end
  expiresAt = newExpiresAt
  redis.call('PEXPIRE', KEYS[1], lifetime)
  redis.call('ZADD', KEYS[2], score, key)
end
redis.call('SETRANGE', KEYS[1], 1, lastSeenAt .. expiresAt .. listedUntil)
return { 'done' }
`;

/**
 * Removes a record, if it is this user's and has expired by then, where that is asked. Answers with how many records and how
 * many entries of the bucket's index went, and with the user whose index may still know of it.
 */
const REMOVE = `${RECORD}
local key, onlyOf, onlyBy = unpack(ARGV)
local owner
if version and listedUntil ~= '${NOT_LISTED}' then owner = user() end
if onlyOf ~= '' and onlyOf ~= owner then return { 0, 0 } end
if onlyBy ~= '' and version and expiresAt > onlyBy then return { 0, 0 } end
return { redis.call('DEL', KEYS[1]), redis.call('ZREM', KEYS[2], key), owner }
`;

/** Lets the index of a user, KEYS[1], know of a record until a moment, and forgets what it needs to know no longer. */
const LIST = `
local key, listedUntil, lifetime, now = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], 'GT', listedUntil, key)
if redis.call('PTTL', KEYS[1]) < tonumber(lifetime) then redis.call('PEXPIRE', KEYS[1], lifetime) end
return { 'done' }
`;

export interface Script {
  readonly text: string;
  /** By which Redis knows a script that it has run before. */
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

export const put: Script = script(PUT);
export const touch: Script = script(TOUCH);
export const remove: Script = script(REMOVE);
export const list: Script = script(LIST);
