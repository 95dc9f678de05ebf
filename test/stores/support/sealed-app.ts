// One application whose sessions travel in the cookie, behind a proxy that says whether the client came over https.
import assert from 'node:assert/strict';
import express from 'express';
import type { SessionEvents } from 'madeleine';
import { type ExpressSessionOptions, type SessionMiddleware, session } from 'madeleine/express';
import { type SealedCookieOptions, sealedCookieStore } from 'madeleine/sealed-cookie';
import { createTestClock, type TestClock } from 'madeleine/testing';
import { type Answer, Client } from '../../support/client.ts';
import { gateway } from '../../support/gateway.ts';
import { type Served, serve } from '../../support/serve.ts';

export const SECRET = 'a secret of more than thirty-two bytes';

export interface SealedApp extends Served {
  remember: SessionMiddleware;
  clock: TestClock;
  /** The names of the events since the app began, in order. */
  events: string[];
  failures: Array<{ code?: string; message: string }>;
  client(): Client;
  /** Sends this request to `/held/…`; resolves when its handler has the session and waits, with what lets it go on and gives its answer. */
  hold(client: Client, path: string): Promise<() => Promise<Answer>>;
}

const EVENTS: ReadonlyArray<keyof SessionEvents> = [
  ...(['created', 'renewed', 'ended', 'expired', 'unknown', 'forged', 'duplicate', 'poison', 'reused'] as const),
  'dropped',
];

export async function openSealed(
  store: SealedCookieOptions = {},
  options: Partial<ExpressSessionOptions> = {},
  framework: typeof express = express,
  clock: TestClock = createTestClock(),
): Promise<SealedApp> {
  const remember = session({ secret: SECRET, store: sealedCookieStore(store), clock, ...options });
  const events: string[] = [];
  const failures: SealedApp['failures'] = [];
  for (const name of EVENTS) remember.sessions.on(name, () => events.push(name));
  remember.sessions.on('failed', ({ error }) => failures.push(error as Error));

  const app = framework();
  app.set('trust proxy', 1);
  app.use(remember);
  app.get('/data', (req, res) => void res.json({ ...req.session, userId: req.session.about.userId }));
  app.get('/about', (req, res) => void res.json(req.session.about));
  app.get('/look', (_req, res) => void res.end());
  app.get('/put/:key/:value', (req, res) => {
    req.session[req.params['key'] as string] = req.params['value'];
    res.end();
  });
  let [arrived, released] = [gateway(), gateway()];
  app.get('/held/:what', async (req, res) => {
    void req.session.about;
    arrived.open();
    await released.opened;
    if (req.params['what'] === 'put') req.session['late'] = 'put';
    if (req.params['what'] === 'rotate') await req.session.rotate();
    res.end();
  });
  app.get('/fill/:size', (req, res) => {
    req.session['filling'] = 'x'.repeat(Number(req.params['size']));
    res.cookie('other', 'stays').end();
  });
  app.get('/login/:user', async (req, res) => {
    if (req.query['fill']) req.session['filling'] = 'x'.repeat(Number(req.query['fill']));
    await req.session.login(req.params['user'] as string, { remember: req.query['remember'] === 'yes' });
    res.json({ ...req.session });
  });
  for (const method of ['logout', 'rotate', 'regenerate', 'reload'] as const) {
    app.get(`/${method}`, (req, res, next) => {
      req.session[method]().then(() => res.json({ ...req.session }), next);
    });
  }
  app.get('/both', async (req, res) => {
    req.session['saved'] = 'first';
    await req.session.save();
    const add = () =>
      req.session.update(data => {
        data.visits = (data.visits ?? 0) + 1;
      });
    await Promise.all([add(), add(), add()]);
    req.session['changed'] = 'last';
    res.end();
  });
  app.get('/rotate-meanwhile', async (req, res) => {
    const counted = req.session.update(async data => {
      data.visits = (data.visits ?? 0) + 1;
    });
    await Promise.all([counted, req.session.rotate()]);
    res.end();
  });
  app.get('/try-logout', async (req, res) => {
    const outcome = await req.session.logout().then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    req.session['afterwards'] = 'kept';
    res.send(outcome);
  });
  app.get('/say/:text', (req, res) => {
    req.flash('info', req.params['text'] as string);
    res.end();
  });
  app.get('/hear', (req, res) => void res.json(req.flash('info')));
  app.get('/stream', (req, res) => {
    void req.session.about;
    res.write('first');
    req.session['late'] = 'lost';
    res.end('last');
  });
  app.get('/after', (req, res) => {
    res.end('done');
    req.session['late'] = 'lost';
  });
  app.get('/late/:method', async (req, res) => {
    res.write('first');
    const method = req.params['method'] as 'logout' | 'save';
    if (method === 'save') req.session['late'] = 'lost';
    const outcome = await req.session[method]().then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    if (method === 'save') delete req.session['late'];
    res.end(outcome);
  });
  const failed: express.ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(error.status ?? 500).json({ code: error.code, message: error.message });
  };
  app.use(failed);

  const served = await serve(app);
  return {
    ...served,
    ...{ remember, clock, events, failures },
    client: () => new Client(served.url),
    async hold(client, path) {
      [arrived, released] = [gateway(), gateway()];
      const { open } = released;
      const answer = client.get(path);
      await arrived.opened;
      return () => {
        open();
        return answer;
      };
    },
    async close() {
      await served.close();
      await remember.sessions.close();
    },
  };
}

/** Waits until the condition holds, turn by turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn++) await new Promise(resolve => setImmediate(resolve));
  assert.ok(condition());
}
