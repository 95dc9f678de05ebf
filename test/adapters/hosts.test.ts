// connect and polka, which have no adapter of their own and take madeleine/node's, through the suite for adapters.
import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { memoryStore } from 'madeleine/memory';
import { type NodeSessions, requireLogin, requireRecentLogin, requireUser, session } from 'madeleine/node';
import {
  type AdapterServerOptions,
  adapterConformance,
  faultStore,
  GUARDED_PATHS,
  TestClient,
} from 'madeleine/testing';
import polka from 'polka';
import { serve } from '../support/serve.ts';

// connect looks at this when it is loaded, and in any other environment prints each error that it answers.
process.env['NODE_ENV'] = 'test';
const { default: connect } = await import('connect');

const secret = 'a secret of more than thirty-two bytes';

type Next = (error?: unknown) => void;
type Handler = (req: IncomingMessage & { originalUrl?: string | undefined }, res: ServerResponse, next: Next) => void;

const guards = [
  [GUARDED_PATHS.requireLogin, requireLogin()],
  [GUARDED_PATHS.requireUser, requireUser(id => id === 'ada')],
  [GUARDED_PATHS.requireRecentLogin, requireRecentLogin('10m')],
] as const;

function application({ handle }: AdapterServerOptions): Handler {
  return (req, res, next) => {
    const session = () => (req as unknown as { session: object }).session;
    (async () => handle({ url: req.originalUrl ?? '/', session }))()
      .then(answer => {
        if ('node' in answer) return answer.node(req, res);
        if ('way' in answer) return;
        res.statusCode = answer.status;
        for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
        res.end(answer.body);
      })
      .catch(next);
  };
}

const hosts: Record<string, (remember: NodeSessions | null, handler: Handler) => RequestListener> = {
  connect(remember, handler) {
    const app = connect();
    if (remember) app.use(remember);
    for (const [path, guard] of guards) app.use(path, guard);
    return app.use(handler);
  },
  polka(remember, handler) {
    const app = polka({
      onError(error, _req, res) {
        res.statusCode = error.status ?? 500;
        res.end('Something went wrong.\n');
      },
    });
    if (remember) app.use(remember);
    for (const [path, guard] of guards) app.use(path, guard);
    return app.all('*', handler).handler;
  },
};

for (const [name, host] of Object.entries(hosts)) {
  adapterConformance({
    name,
    ways: [],
    node: true,
    async serve(options) {
      const remember = options.session && session(options.session);
      return { ...(await serve(host(remember, application(options)))), sessions: remember?.sessions };
    },
  });
}

// It takes an error's code for a status, which Node refuses by throwing; nobody would catch that, and the process would end.
describe("polka's own error handler", () => {
  type Operation = 'read' | 'create';
  const kinds = {
    'a store that fails'() {
      const store = faultStore(memoryStore());
      return {
        store,
        fail: (one: Operation) => store.plan(call => (call.operation === one ? { kind: 'fail' } : null)),
      };
    },
    'a synchronous store that throws'() {
      const store = memoryStore();
      const thrower = () => {
        throw new Error('disk full');
      };
      return { store, fail: (one: Operation) => void Object.assign(store, { [one]: thrower }) };
    },
  };
  for (const operation of ['read', 'create'] as const) {
    for (const [name, open] of Object.entries(kinds)) {
      it(`${name} (${operation}): a clean 503, and both errors are heard`, async context => {
        const { store, fail } = open();
        const remember = session({ secret, store });
        const heard: unknown[] = [];
        remember.sessions.on('failed', ({ error }) => heard.push((error as { code: string }).code));
        const app = polka().use(remember);
        app.all('/', (req, res) => {
          (req as unknown as { session: { visits: number } }).session.visits = 1;
          res.setHeader('Location', '/').end('ok');
        });
        const served = await serve(app.handler);
        context.after(served.close);
        const client = new TestClient(served.url);
        assert.equal((await client.get('/')).status, 200);
        if (operation === 'create') client.jar.clear();
        fail(operation);
        const { status, body, setCookies, headers } = await client.get('/');
        assert.deepEqual([status, body, setCookies], [503, 'Service Unavailable\n', []]);
        assert.equal(headers.location, undefined);
        // Deno has another code for a status that is none.
        const refused = 'deno' in process.versions ? 'ERR_INVALID_ARG_TYPE' : 'ERR_HTTP_INVALID_STATUS_CODE';
        assert.deepEqual(heard, ['ERR_STORE_FAILED', refused]);
      });
    }
  }
});
