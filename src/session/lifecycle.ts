/** What begins, renews and ends a session: login, logout, a new id. Each is done in the store when its promise resolves. */

import { randomToken, sha256 } from '../crypto/token.ts';
import { withDeadline } from '../deadline.ts';
import { MadeleineError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { isThenable, type MaybePromise } from '../maybe-promise.ts';
import { commit, joining, mergeText, saveText, textOf } from './commit.ts';
import type { Core } from './core.ts';
import { parseData, refreshData, stringifyData } from './data.ts';
import { checkKeep, checkLoginOptions, checkUserId, type LoginOptions } from './login-options.ts';
import type { MergeRules } from './merge.ts';
import { nextVersion, type SessionRecord } from './record.ts';
import type { SessionState } from './state.ts';
import { buryEverywhere, endSession, followRotation, sessionEnded, stillLive, succeed } from './succession.ts';
import { tombstoneReason } from './tombstone.ts';

/**
 * The person is who they say they are: a fresh id (against session fixation), the user's name on the session, and what the
 * visitor had gathered. Data that belonged to another user stays behind.
 */
export async function login(state: SessionState, userId: string | number, options: LoginOptions): Promise<void> {
  const user = checkUserId(userId);
  const { core, base, record: old } = state;
  const { remember = old?.userId === user && old.remember, keep } = checkLoginOptions(options);
  if (state.damaged !== null) await endSession(core, state.damaged);
  // Data of another user, or of a session that has ended meanwhile, is not this user's.
  const foreign = state.closed ? base !== '{}' : old !== null && (old.userId ?? user) !== user;
  const narrow = (text: string): string => {
    if (foreign) return '{}';
    return keep ? JSON.stringify(pick(parseData(text) ?? {}, keep)) : text;
  };
  const mine = textOf(state, core.maxDataSize);
  const join = joining(state, mine);
  // A save before this one may have met what others wrote: that is in the record, and not in the bag.
  const carried = narrow(old === null ? mine : join(old));
  const record = state.newRecord(carried, { userId: user, remember });
  const kept = await succeed(state, record, 'replaced', theirs => narrow(join(theirs)));
  showSaved(state, mine, kept ? carried : '{}');
  core.events.emit('renewed', state.key as string, { reason: 'login' });
}

/** The same session under a new id. Requests under way with the old id are served for the grace; after that it is dead. */
export async function rotate(state: SessionState): Promise<void> {
  const { core } = state;
  await commit(state);
  if (state.closed) throw sessionEnded('rotate its id');
  const { record } = state;
  if (record === null) return;
  // Another request has just rotated the id that this one came with, and its answer brings the new one: once is enough.
  if (state.id === null) return;
  const next: SessionRecord = { ...record, version: nextVersion(0) };
  await succeed(state, next, 'rotated', theirs => theirs.data);
  if (state.id !== null) state.renewCookie();
  core.events.emit('renewed', state.key as string, { reason: 'rotate' });
}

/**
 * An empty, anonymous session under a new id, in express-session's sense. It is stored once something is put in.
 *
 * @returns what the one before held under the keys in `keep`; nothing, where it had ended or given way to a login meanwhile
 */
export async function regenerate(state: SessionState, keep: readonly string[]): Promise<JsonObject> {
  const { core, key, record, closed, base } = state;
  state.needCookie();
  checkKeep(keep);
  const id = randomToken();
  const newKey = sha256(id);
  // Where nothing is kept, what JSON cannot hold is in nobody's way.
  const mine = keep.length === 0 ? base : textOf(state, core.maxDataSize);
  const join = joining(state, mine);
  let carried = record === null ? mine : join(record);
  const onConflict = async (theirs: SessionRecord) => {
    carried = join(theirs);
  };
  const damaged = state.damaged !== null && (await endSession(core, state.damaged));
  const burial = { reason: 'replaced', successor: newKey, onConflict } as const;
  const stone = key && record ? await buryEverywhere(core, key, record, burial) : null;
  // One that travels in a cookie, and was rotated meanwhile, has ended by our hand too: what led to it is the answer.
  const buried = stone !== null && (stone.successor === newKey || tombstoneReason(stone) === 'rotated');
  state.startOver();
  state.id = id;
  state.key = newKey;
  if (buried || damaged) state.cookieDuty = 'clear'; // until something is stored
  core.events.emit('renewed', newKey, { reason: 'regenerate' });
  const ended = record === null ? closed && base !== '{}' : !buried;
  return ended ? {} : pick(parseData(carried) ?? {}, keep);
}

/** Ends the session in the store, then in the browser. The visitor goes on with an empty, anonymous one. */
export async function logout(state: SessionState): Promise<void> {
  const { core, key, record, closed } = state;
  const damaged = state.damaged !== null && (await endSession(core, state.damaged));
  const ended = key !== null && record !== null && (await endSession(core, key));
  state.startOver();
  if (ended || damaged) state.cookieDuty = 'clear';
  // Who holds an id that another request has ended or replaced must not disturb the newer cookie.
  else if (closed || record !== null) state.close();
}

/** Reads the session again, dropping what was not saved. */
export async function reload(state: SessionState): Promise<void> {
  const { core, bag } = state;
  if (!(await stillLive(state))) throw sessionEnded('reload it');
  const { data, version } = state.record as SessionRecord;
  const stored = core.parsed.read(state.key as string, data, version);
  if (stored === null) throw sessionEnded('reload it');
  state.show(data);
  if (bag !== null) refreshData(bag, stored.data);
}

/**
 * Changes the stored data by a function that runs again, on fresh data, until its result is saved with nobody's write
 * lost in between.
 */
export async function update<Result>(
  state: SessionState,
  change: (data: JsonObject) => Result | Promise<Result>,
): Promise<Result> {
  if (typeof change !== 'function') {
    throw new MadeleineError(
      'ERR_OPTION_INVALID',
      'update() was not given a function.',
      'Give one that changes the data it is given: update(data => { data.visits = (data.visits ?? 0) + 1; }).',
    );
  }
  const { core } = state;
  await commit(state);
  if (state.closed) throw sessionEnded('update it');
  if (state.record === null) return updateFresh(state, change);
  // A function that changes nothing is not followed by a write, which would find out that what this request has read is old.
  if (!(await stillLive(state))) {
    state.close();
    throw sessionEnded('update it');
  }

  let result: Result | undefined;
  const run = async (stored: SessionRecord, version: number) => {
    const data = parseData(stored.data) ?? {};
    result = await inTime(core, change(data));
    return core.advance(stored, stringifyData(data, stored.data, core.maxDataSize), version);
  };
  const applied = await core.queue.apply(state.key as string, state.record, run);
  if (applied === null || (applied.successor !== null && !(await followRotation(state, applied)))) {
    state.close();
    throw sessionEnded('update it');
  }
  if (applied.successor !== null) return update(state, change);
  state.follow(applied);
  showSaved(state, state.base, applied.data);
  return result as Result;
}

/** Has the bag show what is stored now, `after`, together with what the handler has changed since it held `before`. */
function showSaved(state: SessionState, before: string, after: string): void {
  const { bag, core } = state;
  state.show(after);
  if (bag === null || before === after) return;
  const held = stringifyData(bag, before, Number.POSITIVE_INFINITY);
  const merged = (rules: MergeRules) => mergeText(before, held, after, rules, Number.POSITIVE_INFINITY);
  let text: string;
  try {
    text = merged(core.merge);
  } catch {
    // A rule of the application that throws: what is stored is stored, so it is no reason to fail.
    text = merged({});
  }
  refreshData(bag, parseData(text) ?? {});
}

/** Saves of this session wait for the function; should it wait for one of them in turn, neither would ever end. */
function inTime<Result>({ storeTimeout }: Core, running: Result | PromiseLike<Result>): MaybePromise<Result> {
  if (!isThenable(running)) return running;
  return withDeadline(running, storeTimeout, () => updateTimedOut(storeTimeout));
}

/** Nothing is stored yet: nobody else can write, so the function runs once, and what it made is stored. */
async function updateFresh<Result>(
  state: SessionState,
  change: (data: JsonObject) => Result | Promise<Result>,
): Promise<Result> {
  const data: JsonObject = {};
  const result = await inTime(state.core, change(data));
  const { base } = state;
  const text = stringifyData(data, '{}', state.core.maxDataSize);
  if (text !== '{}') await saveText(state, text);
  showSaved(state, base, text);
  return result;
}

/** What the data holds under these keys. */
function pick(data: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(data).filter(([key]) => keys.includes(key)));
}

function updateTimedOut(timeout: number): MadeleineError {
  return new MadeleineError(
    'ERR_UPDATE_TIMEOUT',
    `The function given to update() did not finish within ${timeout} ms, and nothing of it was saved.`,
    'Fetch what it needs before the update; inside, it must not wait for another request of the same session.',
  );
}
