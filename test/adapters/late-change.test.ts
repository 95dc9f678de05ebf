// What a handler changes after the end of its response, while what it changed before is still being saved.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { session as fetchSession } from 'madeleine/fetch';
import { memoryStore } from 'madeleine/memory';
import { session as nodeSession, type WithSession } from 'madeleine/node';
import { type FaultStore, faultStore, readSetCookie } from 'madeleine/testing';
import { Client } from '../support/client.ts';
import { serve } from '../support/serve.ts';

const secret = 'a secret of more than thirty-two bytes';

/** Answers each write a little later, and calls back while it is at the write of this number. */
function slowStore(number: number, meanwhile: () => void): FaultStore {
  return faultStore(memoryStore(), ({ operation, index }) => {
    if (operation !== 'replace') return null;
    if (index === number) meanwhile();
    return { kind: 'late', time: 1 };
  });
}

async function warnedOfLateChange(act: () => Promise<unknown>): Promise<void> {
  const warned = once(process, 'warning');
  await act();
  assert.equal(((await warned)[0] as { code: string }).code, 'MADELEINE_LATE_CHANGE');
}

const ways: Record<string, { write: number; streams: boolean }> = {
  'before the first byte': { write: 0, streams: false },
  'before the last byte of a stream': { write: 1, streams: true },
};

for (const [name, { write, streams }] of Object.entries(ways)) {
  describe(`a change while the save ${name} is under way is saved too, with a warning`, () => {
    it('on node:http', async () => {
      let change = () => {};
      const remember = nodeSession({ secret, store: slowStore(write, () => change()) });
      const answer = (req: IncomingMessage & WithSession, res: ServerResponse): unknown => {
        if (req.url === '/see') return res.end(String(req.session.visits));
        req.session.visits = 1;
        if (req.url === '/begin') return res.end();
        change = () => {
          req.session.visits = 7;
        };
        req.session.visits = 2;
        if (streams) res.write('first');
        req.session.visits = 3;
        return res.end('last');
      };
      const served = await serve((req, res) => remember(req, res, () => answer(req as typeof req & WithSession, res)));
      const client = new Client(served.url);
      await client.get('/begin');
      await warnedOfLateChange(() => client.get('/change'));
      while ((await client.get('/see')).body !== '7') await setImmediate();
      await served.close();
    });

    it('on Fetch', async () => {
      let change = () => {};
      const { withSession, of } = fetchSession({ secret, store: slowStore(write, () => change()) });
      const visits = withSession(request => Response.json(of(request)['visits']));
      const changing = withSession((request: Request) => {
        const present = of(request);
        present['visits'] = 1;
        if (request.url.endsWith('/begin')) return new Response();
        change = () => {
          of(request)['visits'] = 7;
        };
        present['visits'] = 2;
        if (!streams) return new Response(null, { status: 204 });
        const source = {
          pull(controller: ReadableStreamDefaultController) {
            present['visits'] = 3;
            controller.close();
          },
        };
        return new Response(new ReadableStream(source, { highWaterMark: 0 }));
      });
      const begun = await changing(new Request('http://app.example/begin'));
      const cookie = begun.headers.getSetCookie().map(line => `session=${readSetCookie(line).value}`)[0] as string;
      const ask = (path: string) => new Request(`http://app.example${path}`, { headers: { cookie } });
      await warnedOfLateChange(async () => (await changing(ask('/change'))).text());
      while ((await (await visits(ask('/see'))).text()) !== '7') await setImmediate();
    });
  });
}
