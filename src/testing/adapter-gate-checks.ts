/** What must be true of the gate before a Node response, whatever framework stands around it. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Session } from '../session/bag.ts';
import { type Extra, type SuiteData, visit } from './adapter-application.ts';
import { type AdapterBench, type AdapterCheck, namedChecks, SPEEDS, slowStore } from './adapter-bench.ts';

const checks: Record<string, (bench: AdapterBench) => Promise<void>> = {
  async 'what changes after the head has left is saved before the last byte'(bench) {
    for (const open of Object.values(SPEEDS)) {
      const client = await bench.serve(
        { store: open() },
        {
          stream: session => (_request, response) => {
            session().visits = 1;
            response.write('first', () => {
              session().visits = 2;
              response.end('last');
            });
          },
        },
      );
      assert.equal((await client.get('/stream')).body, 'firstlast');
      assert.equal((await client.get('/data')).json()['visits'], 2);
    }
  },

  async 'once the head has left no session is begun and no id given that the client could never hear of'(bench) {
    for (const open of Object.values(SPEEDS)) {
      const told: unknown[] = [];
      const client = await bench.serve(
        { store: open() },
        {
          stream: session => (_request, response) => {
            const visitor = session().about.isNew;
            response.write('first', async () => {
              const ways = visitor
                ? [() => session().login('ada'), () => session().update(visit), () => save(session())]
                : [() => session().login('bob'), () => session().rotate(), () => session().regenerate()];
              for (const way of ways) {
                await way().then(
                  () => told.push('done'),
                  error => told.push(error.code),
                );
              }
              response.end();
            });
          },
        },
      );
      await client.get('/stream');
      await client.get('/login/ada');
      await client.get('/stream');
      assert.deepEqual(told, Array(6).fill('ERR_HEADERS_SENT'));
      assert.equal((await client.get('/data')).json()['userId'], 'ada');
    }
  },

  async 'who has the first bytes of a stream and asks again sees its own write'(bench) {
    let end = () => {};
    const client = await bench.serve(
      { store: slowStore() },
      {
        stream: session => (_request, response) => {
          session().visits = 7;
          response.write('first');
          end = () => response.end('last');
        },
      },
    );
    await client.get('/put/theme/dark');
    const tab = client.tab();
    await new Promise<void>((resolve, reject) => {
      const look = () =>
        tab
          .get('/data')
          .then(seen => assert.equal(seen.json()['visits'], 7))
          .finally(() => end());
      client.get('/stream', { onFirstByte: () => void look().then(resolve, reject) }).catch(reject);
    });
  },

  async 'while the head is held it counts as sent: headersSent is true, fields and another head are refused, a second end does nothing'(
    bench,
  ) {
    const seen: unknown[] = [];
    await bench.serve(
      { store: slowStore() },
      {
        held: session => (_request, response) => {
          session().visits = 1;
          response.statusCode = 200;
          response.end('first');
          seen.push(response.headersSent, response.writableEnded);
          const code = /^ERR_HTTP2?_HEADERS_SENT$/;
          assert.throws(() => response.setHeader('X-Late', '1'), { code });
          response.statusCode = 202;
          assert.throws(() => response.writeHead(203), { code });
          response.end('second');
        },
      },
    );
    const answer = await bench.ask('/held');
    assert.deepEqual(seen, [true, true]);
    assert.deepEqual([answer.status, answer.body, answer.headers['x-late']], [200, 'first', undefined]);
  },

  async 'while the last change is saved the response has ended: writableEnded is true, a second end and a write add nothing'(
    bench,
  ) {
    const seen: unknown[] = [];
    const client = await bench.serve(
      { store: slowStore() },
      {
        stream: session => (_request, response) => {
          session().visits = 1;
          response.write('first', () => {
            session().visits = 2;
            response.end('last');
            seen.push(response.writableEnded);
            response.write('more');
            response.end('again');
          });
        },
      },
    );
    const answer = await client.get('/stream');
    assert.deepEqual(seen, [true]);
    assert.equal(answer.body, 'firstlast');
    assert.equal((await client.get('/data')).json()['visits'], 2);
  },

  async 'write() answers false while holding and drain follows; a handler that ignores it meets the cap'(bench) {
    await bench.serve(
      { store: slowStore() },
      {
        polite: session => (_request, response) => {
          session().visits = 1;
          assert.equal(response.write('x'), false);
          response.once('drain', () => response.end('y'));
        },
        greedy: session => (_request, response) => {
          session().visits = 1;
          const chunk = Buffer.alloc(1024 * 1024);
          for (let i = 0; i < 40; i++) response.write(chunk);
          response.end();
        },
      },
    );
    assert.equal((await bench.ask('/polite')).body, 'xy');
    const greedy = await bench.ask('/greedy');
    assert.equal(greedy.status, 500);
    assert.ok(greedy.body.length < 300, greedy.body.slice(0, 300));
  },

  async 'a client that goes away does not take its writes with it, neither those before nor those after'(bench) {
    for (const open of Object.values(SPEEDS)) {
      const steps = new EventEmitter<{ handled: [Handling] }>();
      const handled = once(steps, 'handled') as Promise<[Handling]>;
      const client = await bench.serve(
        { store: open() },
        {
          slow: session => (_request, response) => {
            session().visits = 7;
            steps.emit('handled', { session, response });
          },
        },
      );
      await client.get('/put/theme/dark');
      const tab = client.tab();
      const visits = async (expected: number) => {
        for (let tries = 0; tries < 200; tries++) {
          if ((await tab.get('/data')).json()['visits'] === expected) return;
        }
        assert.fail(`visits never became ${expected}`);
      };
      const away = new AbortController();
      client.get('/slow', { signal: away.signal }).catch(() => {});
      const [{ session, response }] = await handled;
      const closed = once(response, 'close');
      away.abort();
      await closed;
      await visits(7);
      session().visits = 8;
      await visits(8);
      session().visits = 9;
      response.end('too late');
      await visits(9);
    }
  },
};

async function save(session: Session<SuiteData>): Promise<void> {
  session.visits = 1;
  await session.save();
}

interface Handling {
  session: Parameters<Extra[string]>[0];
  response: ServerResponse;
}

export const gateChecks: readonly AdapterCheck[] = namedChecks(checks, true);
