// Compile-only: what the types of sessions promise. Compiled with the tests; a promise broken is an error of `npm test`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { Request } from 'express';
import Fastify from 'fastify';
import { createSessions, type Session } from 'madeleine';
import { requireUser, session } from 'madeleine/express';
import { session as fastifySession, requireUser as requireUserOfFastify } from 'madeleine/fastify';
import { requireUser as requireUserOfHono } from 'madeleine/hono';
import { requireUser as requireUserOfKoa } from 'madeleine/koa';
import { memoryStore } from 'madeleine/memory';
import { session as nodeSession, requireLogin, type WithSession } from 'madeleine/node';
import { sealedCookieStore } from 'madeleine/sealed-cookie';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Claim extends true>(): void => {};

// By augmentation (session-data.d.ts): fields are known, and may be absent.
declare const req: Request;
holds<Equal<typeof req.session.cart, string[] | undefined>>();
holds<Equal<typeof req.session.about.userId, string | null>>();
req.session.cart = ['tea'];
// @ts-expect-error: not a list of texts
req.session.cart = 'tea';
// @ts-expect-error: read-only
req.session.about.userId = 'ada';

// Callbacks, with the error by whatever type the code of others has for it.
void req.session.update(
  data => data.cart?.length,
  (_error, length) => holds<Equal<typeof length, number | undefined>>(),
);
holds<Equal<Awaited<ReturnType<typeof req.session.update<boolean>>>, boolean>>();
req.session.save(error => holds<Equal<typeof error, unknown>>());
req.session.destroy((_error: Error) => {});
req.session.regenerate((_error: Error | null) => {});
req.session.login('ada', { remember: true }, (_error?: Error | null) => {});
// @ts-expect-error: nothing but an error is given
req.session.logout((_error: unknown, _more: string) => {});

// By generic.
interface AdminData {
  role: 'editor' | 'owner';
  /** Data may shadow a method: then it is the data's type. */
  save: number;
}
const admin = session<AdminData>({ secret: 'x', merge: { role: (_base, mine) => mine } });
const held = admin.of(req);
holds<Equal<typeof held.role, 'editor' | 'owner' | undefined>>();
holds<Equal<typeof held.save, number | undefined>>();
// @ts-expect-error: no such role
held.role = 'guest';

// Merge rules know their keys.
interface Shop {
  visits: number;
  tags: string[];
}
createSessions<Shop>({ secret: 'x', store: memoryStore(), merge: { visits: 'sum', tags: 'union' } });
// @ts-expect-error: a list cannot be summed up
createSessions<Shop>({ secret: 'x', store: memoryStore(), merge: { tags: 'sum' } });
// @ts-expect-error: no such key
createSessions<Shop>({ secret: 'x', store: memoryStore(), merge: { visit: 'sum' } });

// A rule never decides what the data is.
const remember = session({ secret: 'x', merge: { cart: 'union' } });
holds<Equal<ReturnType<typeof remember.of>, Session>>();
// @ts-expect-error: a list cannot be summed up
session({ secret: 'x', merge: { cart: 'sum' } });

// update() knows the data and gives back what the function gives.
declare const shop: Session<Shop>;
holds<Equal<ReturnType<typeof shop.update<number>>, Promise<number>>>();
void shop.update(data => {
  data.visits = (data.visits ?? 0) + 1;
  // @ts-expect-error: no such field
  data.visit = 1;
});

// login() knows what there is to keep, and that flash messages are kept beside it.
void shop.login('ada', { remember: true, keep: ['tags', 'flash'] });
// @ts-expect-error: no such key
void shop.login('ada', { keep: ['tag'] });

// regenerate() too.
void shop.regenerate(['tags', 'flash']);
void shop.regenerate(() => {});
// @ts-expect-error: no such key
void shop.regenerate(['tag']);

// touch() gives back the session with its data, also where the data shadows a method.
holds<Equal<ReturnType<typeof req.session.touch>, typeof req.session>>();
holds<Equal<ReturnType<typeof shop.touch>, Session<Shop>>>();
holds<Equal<ReturnType<typeof held.touch>['save'], number | undefined>>();

// Durations are checked as far as types can.
session({ secret: 'x', idle: '30m' });
// @ts-expect-error: not a duration
session({ secret: 'x', idle: 'soon' });

// A sealed cookie is no store that keeps anything: it serves as the store of sessions, and not where one is needed that does.
session({ secret: 'x', store: sealedCookieStore({ epoch: async userId => userId.length }) });
sealedCookieStore({ denylist: memoryStore() });
// @ts-expect-error: it keeps nothing
sealedCookieStore({ denylist: sealedCookieStore() });

// Hosts whose next() takes an Error, or anything: h3, connect.
type Host<Fault> = (
  middleware: (req: IncomingMessage, res: ServerResponse, next: (fault?: Fault) => void) => void,
) => void;
declare const h3: Host<Error>;
declare const connect: Host<unknown>;
h3(nodeSession({ secret: 'x' }));
h3(requireLogin());
connect(nodeSession({ secret: 'x' }));

// Listeners of plain Node: HTTP/2 takes each of them, HTTP/1 none that says it wants HTTP/2.
const { withSession } = nodeSession<Shop>({ secret: 'x' });
const ofHttp1 = withSession((req, res) => {
  holds<Equal<typeof req.session.tags, string[] | undefined>>();
  holds<Equal<typeof req.url, string | undefined>>();
  res.writeHead(200).end();
});
createServer(ofHttp1);
createServer({}, ofHttp1);
createHttpsServer({}, ofHttp1);
createSecureServer(ofHttp1);
createSecureServer({}, ofHttp1);
createServer(withSession(ofHttp1));
createServer(withSession((req, res) => res.end(String(req.session.visits))));
createHttpsServer(
  {},
  withSession((req, res) => res.end(String(req.session.visits))),
);
createHttp2Server(
  withSession((req, res) => {
    holds<Equal<typeof req.session.visits, number | undefined>>();
    res.createPushResponse({}, () => {});
  }),
);
createSecureServer(
  {},
  withSession((req, res) => res.end(String(req.session.visits))),
);
const ofHttp2 = withSession<Http2ServerRequest, Http2ServerResponse>((req, res) => {
  holds<Equal<typeof req.session.tags, string[] | undefined>>();
  res.createPushResponse({}, () => {});
});
createSecureServer({}, ofHttp2);
const spelt = withSession((req: Http2ServerRequest & WithSession<Shop>, res: Http2ServerResponse) => {
  res.stream.pushAllowed;
  req.authority;
});
createSecureServer({}, spelt);
// @ts-expect-error: a request over HTTP/1 is none of HTTP/2
createServer(ofHttp2);
// @ts-expect-error: a request over HTTP/1 is none of HTTP/2
createServer(spelt);

// A guard's predicate sees what handlers have, and may say more of it.
requireUser((userId, req) => userId === 'ada' && req.session.cart?.length === 1);
requireUser((_userId, req: Request) => req.query['key'] === 'value');
requireUserOfKoa((_userId, ctx) => ctx.session.cart?.length === 1);
requireUserOfHono((_userId, c) => c.var.session.cart?.length === 1);
requireUserOfFastify((_userId, request) => request.session.cart?.length === 1);
// @ts-expect-error: no list of texts
requireUser((_userId, req) => req.session.cart === 'tea');

// Fastify over HTTP/1 and HTTP/2: the plugin, and guards for an application, a scope and a route.
const isAda = requireUserOfFastify(userId => userId === 'ada');
const h1 = Fastify();
const h2 = Fastify({ http2: true });
void h1.register(fastifySession, { secret: 'x' });
void h2.register(fastifySession, { secret: 'x' });
h1.addHook('onRequest', isAda);
h2.addHook('onRequest', isAda);
h1.get('/', { onRequest: isAda, preHandler: [isAda] }, async request => request.session.about.userId);
h2.get('/', { onRequest: isAda, preHandler: [isAda] }, async request => request.session.about.userId);
