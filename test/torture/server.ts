// One of the servers: says its port, and serves until it is killed or its parent is gone.
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { SessionsOptions } from 'madeleine';
import { session } from 'madeleine/express';
import type { Step } from './generate.ts';
import type { Operation, Seen } from './history.ts';
import { STORES } from './stores.ts';

/** What a server is told when it starts. */
export interface ServerOptions {
  store: string;
  place: string;
  concurrency: NonNullable<SessionsOptions['concurrency']>;
}

const { store, place, concurrency } = JSON.parse(process.argv[2] as string) as ServerOptions;
// The grace is longer than any run: an old id then leads to the session for as long as there is one.
const opened = STORES[store]?.open(place);
const remember = session({ secret: 'a secret of more than thirty-two bytes', store: opened, concurrency, grace: '1h' });

const app = express();
app.use(remember, express.json());
app.post('/', async (req, res) => {
  const { operation, look, pause } = req.body as Step;
  const seen = look ? found(req) : null;
  if (pause > 0) await sleep(pause);
  const count = await perform(req, operation);
  res.json({ seen, count });
});
app.use((error: { status?: number; code?: string }, _req: Request, res: Response, _next: NextFunction) => {
  res.status(error.status ?? 500).json({ problem: error.code ?? String(error) });
});
const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
// Longer than a tab is idle: no connection is closed at the moment at which it is used again.
server.keepAliveTimeout = 60_000;
process.once('disconnect', () => process.exit());

function found({ session: { about, ...data } }: Request): Seen {
  return { live: about.handle !== null, user: about.userId, data };
}

async function perform(req: Request, operation: Operation): Promise<number | undefined> {
  const { session } = req;
  switch (operation.kind) {
    case 'read':
      return;
    case 'set':
      session[operation.key] = operation.value;
      return;
    case 'delete':
      delete session[operation.key];
      return;
    case 'append':
      session.cart = [...(session.cart ?? []), operation.value];
      return;
    case 'remove':
      if (session.cart) session.cart = session.cart.filter(value => value !== operation.value);
      return;
    case 'increment':
      return session.update(data => {
        data.visits = (data.visits ?? 0) + 1;
        return data.visits;
      });
    case 'touch':
      session.touch();
      return;
    case 'login':
      return void (await session.login(operation.user));
    case 'logout':
      return void (await session.logout());
    case 'rotate':
      return void (await session.rotate());
  }
}
