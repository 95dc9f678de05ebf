// Where a login leads back to, and what guards refuse before any request; what they do at a request is in the suite.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requireLogin, requireRecentLogin, requireUser, returnTo, session } from 'madeleine/node';
import { request } from '../support/client.ts';
import { serve } from '../support/serve.ts';

it('a guard can be made where the length of stack traces is not ours to change (--frozen-intrinsics)', () => {
  const { stackTraceLimit } = Error;
  Object.defineProperty(Error, 'stackTraceLimit', { writable: false });
  try {
    assert.equal(typeof requireLogin(), 'function');
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', { writable: true });
  }
  assert.equal(Error.stackTraceLimit, stackTraceLimit);
});

describe('returnTo', () => {
  it('answers with a path of this site as it is', () => {
    for (const path of [
      '/',
      '/a',
      '/a/b?c=d&e=%2F%2Fx%0A#f',
      '/caf%C3%A9',
      '/~ada/100%25',
      '/search?q=http://other.test/',
      '/a#%0A',
      '/a/../b/./c',
      '/.../a//b',
      '/a//b/../c',
      `/${'a'.repeat(2047)}`,
    ]) {
      assert.equal(returnTo(path), path);
    }
  });

  it('answers with the fallback for whatever could lead elsewhere', () => {
    const hostile = [
      ...[
        '//evil.test',
        '///evil.test',
        '/\\evil.test',
        '\\\\evil.test',
        '\\/evil.test',
        'https:evil.test',
        'https://evil.test',
      ],
      ...[
        'javascript:alert(1)',
        'evil.test',
        '',
        '.',
        ' /a',
        '\t//evil.test',
        '/\t/evil.test',
        '/\n/evil.test',
        '/a\r\nSet-Cookie: x=1',
      ],
      ...[
        '/\u0000',
        '/\u007f',
        '/a b',
        '/a\\b',
        '/é',
        '/\u2028',
        '/%2f%2fevil.test',
        '/%2Fevil.test',
        '/%5cevil.test',
        '/%09/evil.test',
      ],
      ...[
        '/%252fevil.test',
        '/%25252fevil.test',
        '/%2%66evil.test',
        '/%0d%0aSet-Cookie:x',
        '/%00',
        '/%E0%2fx%5C',
        '%2f%2fevil.test',
      ],
      ...['/.//evil.test', '/a/..//evil.test', '/..//evil.test', '/%2e//evil.test', `/${'a'.repeat(2048)}`],
      // Whoever resolves the dots before or after decoding, once or twice, is left with //evil.test.
      ...['/./%2fevil.test', '/%2e/%2fevil.test', '/.%2f/evil.test', '/a/..%2f/evil.test', '/a/%2e%2e/%2fevil.test'],
      ...['/a%2f..%2f%2fevil.test', '/%252e/%252fevil.test', '/a/../b/../%2fevil.test', '/a%3f/..%2f%2fevil.test'],
      ...[undefined, null, 1, {}, ['/a'], { toString: () => '/a' }],
    ];
    for (const value of hostile) assert.equal(returnTo(value, '/home'), '/home', String(value));
    assert.equal(returnTo('//evil.test'), '/');
  });

  it('is bounded work for whatever is encoded many times', () => {
    assert.equal(returnTo(`/%${'25'.repeat(1000)}2fevil`, '/home'), '/home');
  });
});

describe('guards', () => {
  it('refuse wrong options when they are made', () => {
    assert.throws(() => requireLogin({ loginPage: 'https://evil.test' }), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => requireLogin({ login: '/in' } as object), { code: 'ERR_OPTION_UNKNOWN' });
    assert.throws(() => requireUser(undefined as never), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => requireRecentLogin('soon' as never), { code: 'ERR_OPTION_INVALID', message: /"within"/ });
    assert.throws(() => requireRecentLogin(600), { code: 'ERR_OPTION_INVALID', message: /A number is milliseconds/ });
  });

  const withGuard = async (guard: ReturnType<typeof requireLogin>, accept: string | undefined, path = '/a') => {
    const { withSession } = session({ secret: 'a secret of more than thirty-two bytes' });
    const served = await serve(withSession((req, res) => guard(req, res, () => res.end('reached'))));
    const answer = await request(served.url + path, { headers: accept === undefined ? {} : { accept } });
    await served.close();
    return answer;
  };

  it('take for a page what asks for HTML by name, and for no less than JSON', async () => {
    const cases: Array<[accept: string | undefined, status: number]> = [
      ['text/html', 303],
      ['text/html;q=0.9, application/json;q=0.8', 303],
      ['application/json, text/html;q=0.9', 401],
      ['application/problem+json', 401],
      ['TEXT/HTML;level=1', 303],
      ['application/xhtml+xml', 303],
      ['text/html, application/json', 303],
      ['text/html;q=1, application/json', 303],
      ['text/html;seq=1;q=0.9', 303],
      ['text/html;q=0.9, application/json; q=0.8', 303],
      ['text/html, application/json;q=x', 303],
      ['text/html;q=0.9, application/vnd.api-2.x+json', 401],
      ['text/html;q=0.9, application/ajson, application/json-seq, x-application/json', 303],
      ['text/html-x, x-text/html', 401],
      ['text/html;q=0', 401],
      ['text/html;q=x', 401],
      ['*/*', 401],
      [undefined, 401],
    ];
    for (const [accept, status] of cases) {
      assert.equal((await withGuard(requireLogin(), accept)).status, status, String(accept));
    }
  });

  it('tell strangers to log in, whatever they are to be besides, and nobody keeps the answer', async () => {
    const asked = (): never => assert.fail('there is nobody to ask about');
    for (const guard of [requireLogin(), requireUser(asked), requireRecentLogin('10m')]) {
      const api = await withGuard(guard, undefined);
      assert.deepEqual([api.status, api.json()], [401, { error: 'login-required' }]);
      assert.equal(api.headers['www-authenticate'], 'Cookie realm="/login"');
      const page = await withGuard(guard, 'text/html');
      assert.deepEqual([page.status, page.headers.location, page.body], [303, '/login?returnTo=%2Fa', '']);
      for (const { headers } of [api, page]) assert.equal(headers['cache-control'], 'no-store');
    }
  });

  it('give a target that is no local path no way back', async () => {
    const { headers } = await withGuard(requireLogin({ loginPage: '/in?x=1' }), 'text/html', '//evil.test/a');
    assert.equal(headers.location, '/in?x=1');
    const local = await withGuard(requireLogin({ loginPage: '/in?x=1' }), 'text/html', '/b');
    assert.equal(local.headers.location, '/in?x=1&returnTo=%2Fb');
  });

  it('give HEAD the way back that GET would have', async () => {
    const { withSession } = session({ secret: 'a secret of more than thirty-two bytes' });
    const served = await serve(withSession((req, res) => requireLogin()(req, res, () => res.end())));
    const { headers } = await request(served.url, { method: 'HEAD', headers: { accept: 'text/html' } });
    await served.close();
    assert.equal(headers.location, '/login?returnTo=%2F');
  });

  it('let pass only whom the predicate says true of, by promise too, and no throw is a permission', async () => {
    const { withSession } = session({ secret: 'a secret of more than thirty-two bytes' });
    const answers: Array<() => unknown> = [
      ...[() => true, async () => true, () => 1, async () => 'yes', async () => false],
      ...[
        () => {
          throw new Error('thrown');
        },
        () => Promise.reject(new Error('rejected')),
      ],
    ];
    const said: string[] = [];
    for (const answer of answers) {
      const guard = requireUser(answer as () => boolean);
      const served = await serve(
        withSession(async (req, res) => {
          await req.session.login('ada');
          guard(req, res, error => res.end(error ? 'error' : 'reached'));
        }),
      );
      said.push((await request(served.url)).body);
      await served.close();
    }
    const refused = '{"error":"forbidden"}';
    assert.deepEqual(said, ['reached', 'reached', refused, refused, refused, 'error', 'error']);
  });

  it('below two sessions, ask that which handlers hold', async () => {
    const options = { secret: 'a secret of more than thirty-two bytes' };
    const outer = session({ ...options, name: 'outer' });
    const inner = session({ ...options, name: 'inner' });
    for (const [loggedIn, expected] of [
      [outer, 401],
      [inner, 200],
    ] as const) {
      const handler = inner.withSession(async (req, res) => {
        await loggedIn.of(req).login('ada');
        requireLogin()(req, res, () => res.end('reached'));
      });
      const served = await serve(outer.withSession(handler));
      assert.equal((await request(served.url)).status, expected);
      await served.close();
    }
  });

  it('before the session, say which line to move', async () => {
    const served = await serve((req, res) => requireLogin()(req, res, error => res.end(String(error))));
    const { body } = await request(served.url);
    assert.match(body, /Move session\(\) above the line .*guards\.test\.js:\d+:\d+, .*\(ERR_SESSION_MISSING\)/);
    await served.close();
  });
});
