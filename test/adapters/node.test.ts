// Plain Node over HTTP/1.1 and HTTP/2, and mounted as connect and polka do it, through the suite for adapters.
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { describe } from 'node:test';
import { type NodeSessions, requireLogin, requireRecentLogin, requireUser, session } from 'madeleine/node';
import { type AdapterServerOptions, adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { HTTP2_ABORTS } from '../support/http2.ts';
import { serveOn } from '../support/serve.ts';

type Handler = (req: IncomingMessage, res: ServerResponse) => void;
type Http2Handler = (req: Http2ServerRequest, res: Http2ServerResponse) => void;

const guards = [
  { path: GUARDED_PATHS.requireLogin, guard: requireLogin() },
  { path: GUARDED_PATHS.requireUser, guard: requireUser(id => id === 'ada') },
  { path: GUARDED_PATHS.requireRecentLogin, guard: requireRecentLogin('10m') },
];

/** The suite's application as a listener; an error is answered as connect would. */
function listener({ handle }: AdapterServerOptions): Handler {
  return (req, res) => {
    const url = req.url ?? '/';
    const answer = async (): Promise<void> => {
      const said = await handle({ url, session: () => (req as unknown as { session: object }).session });
      if ('node' in said) return said.node(req, res);
      if ('way' in said) return;
      res.statusCode = said.status;
      for (const [name, value] of Object.entries(said.headers)) res.setHeader(name, value);
      res.end(said.body);
    };
    const next = (error?: unknown) => (error ? fail(res, error) : void answer().catch(reason => fail(res, reason)));
    const guarded = guards.find(({ path }) => url.startsWith(path));
    if (guarded) guarded.guard(req, res, next);
    else next();
  };
}

function fail(res: ServerResponse, error: unknown): void {
  res.statusCode = (error as { status?: number }).status ?? 500;
  res.end();
}

const wrapped = (sessions: NodeSessions | null, handler: Handler): Handler => sessions?.withSession(handler) ?? handler;
const mounted = (sessions: NodeSessions | null, handler: Handler): Handler =>
  sessions ? (req, res) => sessions(req, res, error => (error ? fail(res, error) : handler(req, res))) : handler;

const kinds = [
  { name: 'node:http, withSession', mount: wrapped, create: (handler: Handler) => http.createServer(handler) },
  { name: 'node:http, (req, res, next)', mount: mounted, create: (handler: Handler) => http.createServer(handler) },
  {
    name: 'node:http2, withSession',
    mount: wrapped,
    create: (handler: Handler) => http2.createServer(handler as unknown as Http2Handler),
    protocol: 'http2' as const,
  },
];

for (const { mount, create, ...kind } of kinds) {
  if (kind.protocol === 'http2' && HTTP2_ABORTS) {
    describe(kind.name, { skip: HTTP2_ABORTS });
    continue;
  }
  adapterConformance({
    ...kind,
    ways: [],
    node: true,
    async serve(options) {
      const sessions = options.session && session(options.session);
      const handler: RequestListener = mount(sessions, listener(options));
      return { ...(await serveOn(create(handler))), sessions: sessions?.sessions };
    },
  });
}
