// Fastify over HTTP/1.1 and HTTP/2 through the suite for adapters; what is Fastify's alone stands in fastify-own.test.ts.
import { Readable } from 'node:stream';
import { describe } from 'node:test';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { requireLogin, requireRecentLogin, requireUser, session } from 'madeleine/fastify';
import { type AdapterServerOptions, adapterConformance, GUARDED_PATHS } from 'madeleine/testing';
import { HTTP2_ABORTS } from '../support/http2.ts';

const ways: Record<string, (reply: FastifyReply) => unknown> = {
  text: reply => reply.send('ok'),
  json: reply => reply.code(201).send({ ok: true }),
  redirect: reply => reply.redirect('/data'),
  'a stream': reply => reply.send(Readable.from(['one', 'two', 'x'.repeat(100_000)])),
  'a web Response': reply => reply.send(new Response('body', { status: 202, headers: { 'x-mine': '1' } })),
  'own cookie': reply => reply.header('set-cookie', 'own=1').send('ok'),
  'no content': reply => reply.code(204).send(),
  'early hints': reply => {
    reply.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    return reply.send('hinted');
  },
  trailers: reply => reply.trailer('x-sum', (_reply, _payload, done) => done(null, '4')).send('body'),
};

function application(app: FastifyInstance, { handle }: AdapterServerOptions): void {
  app.all('*', async (request, reply) => {
    const answer = await handle({ url: request.url, session: () => request.session });
    if ('way' in answer) return ways[answer.way]?.(reply);
    if (!('node' in answer)) return reply.code(answer.status).headers(answer.headers).send(answer.body);
    reply.hijack();
    answer.node(request.raw, reply.raw);
    return reply;
  });
}

async function serve(app: FastifyInstance, options: AdapterServerOptions) {
  if (options.session) await app.register(session, options.session);
  for (const [path, preHandler] of [
    [GUARDED_PATHS.requireLogin, requireLogin()],
    [GUARDED_PATHS.requireUser, requireUser(id => id === 'ada')],
    [GUARDED_PATHS.requireRecentLogin, requireRecentLogin('10m')],
  ] as const) {
    app.register(
      async scope => {
        scope.addHook('preHandler', preHandler);
        application(scope, options);
      },
      { prefix: path },
    );
  }
  application(app, options);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, sessions: options.session ? app.sessions : undefined, close: () => app.close() };
}

const kind = { ways: Object.keys(ways), node: true };
adapterConformance({
  ...kind,
  name: 'Fastify 5',
  serve: options => serve(Fastify({ forceCloseConnections: true }), options),
});
if (HTTP2_ABORTS) describe('Fastify 5, HTTP/2', { skip: HTTP2_ABORTS });
else {
  adapterConformance({
    ...kind,
    name: 'Fastify 5, HTTP/2',
    protocol: 'http2',
    serve: options =>
      serve(Fastify({ http2: true, forceCloseConnections: true }) as unknown as FastifyInstance, options),
  });
}
