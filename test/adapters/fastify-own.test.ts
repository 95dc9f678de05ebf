// What is Fastify's alone: scopes, hooks in order, error handlers, inject, and the plugins that stand beside.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { requireLogin, requireUser, session } from 'madeleine/fastify';
import { memoryStore } from 'madeleine/memory';
import { faultStore } from 'madeleine/testing';

const secret = 'a secret of more than thirty-two bytes';
const LONG = 'madeleine '.repeat(3000);
const broken = (time: number) =>
  faultStore(memoryStore(), ({ operation }) => (operation === 'create' ? { kind: 'fail' } : { kind: 'delay', time }));

async function visit(request: FastifyRequest) {
  request.session.visits = (request.session.visits ?? 0) + 1;
  return { visits: request.session.visits };
}
const sessionOf = (answer: { cookies: Array<{ name: string; value: string }> }) => {
  const found = answer.cookies.find(({ name }) => name === 'session');
  return { session: found?.value ?? '' };
};

describe('Fastify', () => {
  it('app.inject: the session comes back, and flash messages are shown once', async () => {
    const app = Fastify();
    app.register(session, { secret });
    app.get('/', visit);
    app.get('/keep', async request => request.flash('info', 'Saved.'));
    app.get('/show', async request => request.flash('info'));
    const cookies = sessionOf(await app.inject('/'));
    assert.deepEqual((await app.inject({ url: '/', cookies })).json(), { visits: 2 });
    await app.inject({ url: '/keep', cookies });
    assert.deepEqual((await app.inject({ url: '/show', cookies })).json(), ['Saved.']);
    assert.deepEqual((await app.inject({ url: '/show', cookies })).json(), []);
    await app.close();
  });

  it('twice in one scope is an error of ready(); so is the call that should have been register()', async () => {
    const twice = Fastify();
    twice.register(session, { secret });
    twice.register(session, { secret });
    await assert.rejects(async () => twice.ready(), { code: 'FST_ERR_DEC_ALREADY_PRESENT' });
    await assert.rejects(session({ secret } as never, undefined as never), {
      code: 'ERR_OPTION_INVALID',
      message: /app\.register\(session, { secret }\)/,
    });
  });

  it('registered in a scope, it is there and nowhere else', async () => {
    const app = Fastify();
    app.register(async scope => {
      scope.register(session, { secret });
      scope.get('/inside', visit);
      scope.register(async below => below.get('/below', visit));
    });
    app.get('/outside', async request => ({ session: typeof request.session }));
    await app.ready();
    const cookies = sessionOf(await app.inject('/inside'));
    assert.deepEqual((await app.inject({ url: '/below', cookies })).json(), { visits: 2 });
    assert.deepEqual((await app.inject('/outside')).json(), { session: 'undefined' });
    assert.equal(app.hasDecorator('sessions'), false);
    await app.close();
  });

  it('another session in a scope below stands before the first', async () => {
    const app = Fastify();
    app.register(session, { secret });
    app.get('/', visit);
    app.register(async scope => {
      scope.register(session, { secret, name: 'admin' });
      scope.get('/admin', visit);
    });
    const answer = await app.inject('/admin');
    assert.deepEqual(
      answer.cookies.map(({ name }) => name),
      ['admin'],
    );
    await app.close();
  });

  it('a save that fails goes to the error handler, whose answer is clean; synchronous and later', async () => {
    for (const time of [0, 20]) {
      const app = Fastify();
      app.setErrorHandler((error: Error & { code: string }, _request, reply) =>
        reply.code(503).send({ mine: error.code }),
      );
      app.register(session, { secret, store: broken(time) });
      app.get('/', visit);
      app.get('/redirect', async (request, reply) => {
        await visit(request);
        return reply.header('etag', '"1"').header('set-cookie', 'own=1').redirect('/');
      });
      for (const url of ['/', '/redirect']) {
        const answer = await app.inject(url);
        assert.deepEqual([answer.statusCode, answer.json()], [503, { mine: 'ERR_STORE_FAILED' }]);
        for (const name of ['location', 'etag', 'set-cookie']) assert.equal(answer.headers[name], undefined, name);
      }
      await app.close();
    }
  });

  it('a save that fails in the answer to a handler’s error has the status of the failure', async () => {
    const app = Fastify();
    app.register(session, { secret, store: broken(20) });
    app.get('/', async request => {
      await visit(request);
      throw Object.assign(new Error('No tea.'), { statusCode: 418 });
    });
    const answer = await app.inject('/');
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'ERR_STORE_FAILED']);
    await app.close();
  });

  it('a save that fails in a hijacked response is answered barely', async () => {
    const app = Fastify();
    app.register(session, { secret, store: broken(20) });
    app.get('/', async (request, reply) => {
      await visit(request);
      reply.hijack();
      reply.raw.end('raw');
    });
    const answer = await app.inject('/');
    assert.deepEqual([answer.statusCode, answer.body], [503, 'Service Unavailable\n']);
    await app.close();
  });

  it('what hooks put in until the answer leaves is saved', async () => {
    const app = Fastify();
    app.register(session, { secret });
    app.addHook('onSend', async request => {
      request.session.theme = 'dark';
    });
    app.get('/', visit);
    app.get('/data', async request => request.session);
    const cookies = sessionOf(await app.inject('/'));
    assert.deepEqual((await app.inject({ url: '/data', cookies })).json(), { visits: 1, theme: 'dark' });
    await app.close();
  });

  for (const order of ['before', 'after'] as const) {
    it(`@fastify/cookie and @fastify/compress ${order} it`, async () => {
      for (const store of [memoryStore(), faultStore(memoryStore(), () => ({ kind: 'delay', time: 10 }))]) {
        const app = Fastify();
        if (order === 'after') app.register(session, { secret, store });
        await app.register(cookie);
        await app.register(compress);
        if (order === 'before') app.register(session, { secret, store });
        app.get('/', async (request, reply) => {
          await visit(request);
          reply.setCookie('own', request.cookies['own'] ?? 'first').type('text/plain');
          return LONG;
        });
        app.get('/data', visit);
        const answer = await app.inject({ url: '/', headers: { 'accept-encoding': 'gzip' } });
        assert.equal(answer.headers['content-encoding'], 'gzip');
        assert.deepEqual(answer.cookies.map(({ name }) => name).sort(), ['own', 'session']);
        assert.match(String(answer.headers.vary), /accept-encoding/);
        assert.match(String(answer.headers.vary), /Cookie/);
        assert.deepEqual((await app.inject({ url: '/data', cookies: sessionOf(answer) })).json(), { visits: 2 });
        await app.close();
      }
    });
  }

  it('a refusal adds to the Vary of the application', async () => {
    const app = Fastify();
    app.addHook('onRequest', async (_request, reply) => void reply.header('Vary', 'Origin'));
    app.register(session, { secret });
    app.get('/', { onRequest: requireLogin() }, visit);
    assert.equal((await app.inject('/')).headers.vary, 'Origin, Accept, Cookie');
    await app.close();
  });

  it('a predicate that answers later lets pass, refuses, and fails as one that answers at once', async () => {
    const app = Fastify();
    app.register(session, { secret });
    app.get('/login/:user', async request => {
      await request.session.login((request.params as { user: string }).user);
    });
    const mayPass = async (user: string) => {
      if (user === 'eve') throw new Error('no such user');
      return user === 'ada';
    };
    app.get('/', { onRequest: requireUser(mayPass) }, async () => 'reached');
    const answers: unknown[] = [];
    for (const user of ['ada', 'bob', 'eve']) {
      const cookies = sessionOf(await app.inject(`/login/${user}`));
      const { statusCode, body } = await app.inject({ url: '/', cookies });
      answers.push(statusCode === 500 ? JSON.parse(body).message : [statusCode, body]);
    }
    assert.deepEqual(answers, [[200, 'reached'], [403, '{"error":"forbidden"}'], 'no such user']);
    await app.close();
  });

  it('https and the address are as trustProxy tells', async () => {
    for (const trustProxy of [false, true]) {
      const app = Fastify({ trustProxy });
      app.register(session, { secret });
      app.get('/', async request => {
        await request.session.login('ada');
      });
      const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
      const answer = await app.inject({ url: '/', headers });
      assert.deepEqual(
        answer.cookies.map(({ name }) => name),
        [trustProxy ? '__Host-session' : 'session'],
      );
      const [listed] = await app.sessions.list('ada');
      assert.equal(listed?.device?.address, trustProxy ? '203.0.113.9' : '127.0.0.1');
      await app.close();
    }
  });

  it('used in a hook before it is registered, it says which line to move; by a guard too', async () => {
    const wrong: Array<(app: FastifyInstance) => void> = [
      app => app.addHook('onRequest', async request => void request.session.theme),
      app => app.addHook('onRequest', requireLogin()),
    ];
    for (const early of wrong) {
      const app = Fastify();
      early(app);
      app.register(session, { secret });
      app.get('/', visit);
      const answer = await app.inject('/');
      assert.equal(answer.statusCode, 500);
      assert.match(answer.json().message, /Move session\(\) above the line .*fastify-own\.test\.js:\d+:\d+/);
      await app.close();
    }
  });

  it('wrong options are an error of app.ready()', async () => {
    const app = Fastify();
    app.register(session, { secret: '' });
    await assert.rejects(async () => app.ready(), { code: 'ERR_SECRET_MISSING' });
  });

  it('beside a request.session of another plugin it does not start', async () => {
    const theirs = Object.assign(async (app: FastifyInstance) => void app.decorateRequest('session', null as never), {
      [Symbol.for('skip-override')]: true,
    });
    for (const plugins of [
      [theirs, session],
      [session, theirs],
    ]) {
      const app = Fastify();
      for (const plugin of plugins) app.register(plugin as typeof session, { secret });
      await assert.rejects(async () => app.ready(), { code: 'FST_ERR_DEC_ALREADY_PRESENT', message: /'session'/ });
    }
  });

  // @fastify/flash is such a one, and @fastify/passport brings it along.
  it('another plugin may bring a request.flash of its own, before it or after', async () => {
    const messages = Object.assign(
      async (app: FastifyInstance) => void app.decorateRequest('flash', (() => 'theirs') as never),
      {
        [Symbol.for('skip-override')]: true,
      },
    );
    for (const order of ['before', 'after']) {
      const app = Fastify();
      if (order === 'before') app.register(messages);
      app.register(session, { secret });
      if (order === 'after') app.register(messages);
      app.get('/', async request => ({ flash: request.flash('info') }));
      assert.deepEqual((await app.inject('/')).json(), { flash: 'theirs' });
      await app.close();
    }
  });

  it('request.session cannot be assigned to', async () => {
    const app = Fastify();
    app.register(session, { secret });
    app.get('/', async (request, reply: FastifyReply) => {
      assert.throws(() => Object.assign(request, { session: null }), {
        code: 'ERR_DATA_KEY',
        message: /session\.logout\(\)/,
      });
      return reply.send('refused');
    });
    assert.equal((await app.inject('/')).body, 'refused');
    await app.close();
  });
});
