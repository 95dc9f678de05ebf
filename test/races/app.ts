// One small application for all races. A request can be made to wait in its handler until the test says so.
import express, { type Express } from 'express';
import type { SessionStore } from 'madeleine';
import { type ExpressSessionOptions, type SessionMiddleware, session } from 'madeleine/express';
import { Client } from '../support/client.ts';
import { type Gateway, gateway } from '../support/gateway.ts';
import { type Served, serve } from '../support/serve.ts';

export interface Race extends Served {
  remember: SessionMiddleware;
  client(): Client;
  /** Resolves when a request waits at `/…?wait=name`; `go` lets it on. */
  waiting(name: string): Promise<void>;
  go(name: string): void;
}

export function createRaceApp(
  store: SessionStore,
  options: Partial<ExpressSessionOptions> = {},
  stopAt = async (_name: string): Promise<void> => {},
): { app: Express; remember: SessionMiddleware } {
  // However busy the machine is: what is lost here is to be lost by a race, and not by a deadline.
  const patient = { storeTimeout: '1m' } as const;
  const remember = session({ secret: 'a secret of more than thirty-two bytes', store, ...patient, ...options });
  const app = express();
  app.use(remember);
  app.use(async (req, _res, next) => {
    if (req.query['early'] !== undefined) void req.session.about;
    if (req.query['wait']) await stopAt(String(req.query['wait']));
    next();
  });
  app.get('/add/:item', (req, res) => {
    req.session.cart ??= [];
    req.session.cart.push(req.params['item'] as string);
    res.json(req.session.cart);
  });
  app.get('/set/:key/:value', (req, res) => {
    req.session[req.params['key'] as string] = req.params['value'];
    res.end();
  });
  app.get('/count', async (req, res) => {
    res.json(
      await req.session.update(data => {
        data.visits = (data.visits ?? 0) + 1;
        return data.visits;
      }),
    );
  });
  app.get('/self/:item', async (req, res) => {
    const url = `http://127.0.0.1:${req.socket.localPort}/add/${req.params['item']}`;
    await fetch(url, { headers: { cookie: req.headers.cookie ?? '' } });
    req.session['asked'] = 'itself';
    res.end();
  });
  app.get('/stuck', async (req, _res, next) => {
    await req.session.update(() => new Promise(() => {})).catch(next);
  });
  app.get('/data', (req, res) => void res.json({ ...req.session, userId: req.session.about.userId }));
  app.get('/login/:user', async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.json({ ...req.session });
  });
  app.get('/logout', async (req, res) => {
    await req.session.logout();
    res.end();
  });
  app.get('/rotate', async (req, res) => {
    await req.session.rotate();
    res.end();
  });
  app.get('/reload', async (req, res) => {
    await req.session.reload().catch(error => res.status(error.status));
    res.end();
  });
  app.get('/touch', (req, res) => {
    req.session.touch();
    res.end();
  });
  app.get('/redirect/:item', (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.redirect('/data');
  });
  app.get('/stream/:item', (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.write('first');
    setTimeout(() => res.end('last'), 20);
  });
  app.get('/late/:item', (req, res) => {
    res.end('done');
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
  });
  // A handler that waits for nothing: neither for its save, nor for what it does then, nor for the end of its response.
  app.get('/careless/:act/:item', (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    void req.session.save();
    switch (req.params['act']) {
      case 'login':
        void req.session.login('ada');
        break;
      case 'logout':
        void req.session.logout();
        break;
      case 'rotate':
        void req.session.rotate();
        break;
      case 'update':
        void req.session.update(data => {
          data.visits = (data.visits ?? 0) + 1;
        });
    }
    res.end();
    if (req.params['act'] === 'late') req.session.cart.push('late');
  });
  app.get('/careless-stream', (req, res) => {
    res.write('first');
    void req.session.logout();
    res.end('last');
  });
  return { app, remember };
}

export async function createRace(store: SessionStore, options: Partial<ExpressSessionOptions> = {}): Promise<Race> {
  const stops = new Map<string, { arrived: Gateway<void>; left: Gateway<void> }>();
  const stop = (name: string) => {
    const found = stops.get(name) ?? { arrived: gateway(), left: gateway() };
    stops.set(name, found);
    return found;
  };
  const { app, remember } = createRaceApp(store, options, async name => {
    const { arrived, left } = stop(name);
    arrived.open();
    await left.opened;
  });
  const served = await serve(app);
  return {
    ...served,
    remember,
    client: () => new Client(served.url),
    waiting: name => stop(name).arrived.opened,
    go: name => stop(name).left.open(),
    async close() {
      await served.close();
      await remember.sessions.close();
    },
  };
}
