// What is kept of the sessions that were read lately takes a bounded memory.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSessions, type SessionRecord, type SessionStore } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { loginAs } from 'madeleine/testing';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const secret = 'a secret of more than thirty-two bytes';
const facts = { secure: false, device: () => null };

/** By how many megabytes the heap has grown when this is done. */
async function growthOf(work: () => Promise<void>): Promise<number> {
  collect();
  const before = process.memoryUsage().heapUsed;
  await work();
  collect();
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}

describe('what is kept of the sessions that were read lately', () => {
  it('keeps nothing of what a value was cut from', async () => {
    const sessions = createSessions<{ last: string }>({ secret, store: memoryStore() });
    const megabytes = await growthOf(async () => {
      for (let user = 0; user < 200; user++) {
        const { header } = await loginAs(sessions, `user ${user}`);
        for (const time of ['begun', 'noticed', 'kept']) {
          const opened = await sessions.open(header, facts);
          assert.equal(typeof (opened.session.last ?? ''), 'string');
          const body = `${user}`.padStart(200_000, `${user} ${time} `);
          opened.session.last = body.slice(10, 40);
          await opened.commit();
        }
      }
    });
    assert.ok(megabytes < 12, `${megabytes} MB for 200 times 30 characters`);
    await sessions.close();
  });

  for (const becomeLarge of [false, true]) {
    it(`takes a bounded memory, however many ${becomeLarge ? 'become' : 'are'} large`, async () => {
      const records = new Map<string, SessionRecord>();
      const note = (key: string) => key.repeat(2_400);
      // What it gives is made anew for each read, as a database's answers are; 100 KB, or little.
      const store: SessionStore = {
        create: (key, record) => records.size < records.set(key, record).size,
        read(key) {
          const record = records.get(key) as SessionRecord;
          return { ...record, data: JSON.stringify({ note: becomeLarge ? '' : note(key) }) };
        },
        replace: () => ({ ok: true }),
        touch: () => true,
        delete: () => true,
      };
      const sessions = createSessions<{ note: string }>({ secret, store });
      const megabytes = await growthOf(async () => {
        for (let user = 0; user < 400; user++) {
          const { header } = await loginAs(sessions, `user ${user}`);
          for (const time of ['noticed', 'kept', 'copied']) {
            const opened = await sessions.open(header, facts);
            assert.notEqual(opened.session.note, undefined);
            if (becomeLarge && time === 'copied') opened.session.note = note(`${user}`.padEnd(43));
            await opened.commit();
          }
        }
      });
      assert.ok(megabytes < 12, `${megabytes} MB for 400 sessions of 100 KB`);
      await sessions.close();
    });
  }
});
