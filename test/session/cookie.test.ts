// The cookie that carries an id: its form on each kind of connection, which one counts, and when it is sent again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSessions, type OpenSession, type SessionCookieOptions, type SessionsOptions } from 'madeleine';
import { memoryStore } from 'madeleine/memory';
import { createTestClock } from 'madeleine/testing';

const secret = 'a secret of more than thirty-two bytes';
const http = { secure: false, device: () => null };
const https = { secure: true, device: () => null };

/** Sessions over a store that answers at once. */
function sessionsWith(options: Partial<SessionsOptions<Record<string, unknown>>> = {}) {
  const { clock = Date.now } = options;
  const sessions = createSessions<Record<string, unknown>>({ secret, store: memoryStore({ clock }), ...options });
  type Opened = OpenSession<Record<string, unknown>>;
  const open = (cookie?: string, facts = http): Opened => sessions.open(cookie, facts) as Opened;
  /** The Set-Cookie lines of the response to a request that does this to its session. */
  function answer(cookie: string | undefined, act: (session: Opened['session']) => void, facts = http): string[] {
    const opened = open(cookie, facts);
    act(opened.session);
    opened.commit();
    return opened.setCookies().map(({ line }) => line);
  }
  /** Begins a session; answers with what the browser sends from then on. */
  function begin(data: object, facts = http): string {
    return (answer(undefined, session => Object.assign(session, data), facts)[0] as string).split(';')[0] as string;
  }
  return { sessions, open, answer, begin };
}

describe('its form', () => {
  const forms: Array<[options: SessionCookieOptions, overHttps: string, overHttp: string | null]> = [
    [{}, '__Host-session; Path=/; Secure; HttpOnly; SameSite=Lax', 'session; Path=/; HttpOnly; SameSite=Lax'],
    [
      { domain: 'example.org' },
      '__Secure-session; Domain=example.org; Path=/; Secure; HttpOnly; SameSite=Lax',
      'session; Domain=example.org; Path=/; HttpOnly; SameSite=Lax',
    ],
    [
      { path: '/shop' },
      '__Secure-session; Path=/shop; Secure; HttpOnly; SameSite=Lax',
      'session; Path=/shop; HttpOnly; SameSite=Lax',
    ],
    [{ secure: false }, 'session; Path=/; HttpOnly; SameSite=Lax', 'session; Path=/; HttpOnly; SameSite=Lax'],
    [{ secure: true }, '__Host-session; Path=/; Secure; HttpOnly; SameSite=Lax', null],
    [
      { secure: true, sameSite: 'none', partitioned: true },
      '__Host-session; Path=/; Secure; HttpOnly; SameSite=None; Partitioned',
      null,
    ],
  ];
  for (const [cookie, overHttps, overHttp] of forms) {
    it(JSON.stringify(cookie), context => {
      const warned = context.mock.method(process, 'emitWarning', () => {});
      const { sessions, open, answer } = sessionsWith({ cookie });
      for (const [facts, form] of [[https, overHttps] as const, [http, overHttp] as const]) {
        const lines = answer(undefined, session => Object.assign(session, { cart: 'tea' }), facts);
        const withoutValue = lines.map(line => line.replace(/=[^;]*/, ''));
        assert.deepEqual(withoutValue, form === null ? [] : [form]);
        const name = form === null ? null : form.split(';')[0];
        assert.equal(sessions.cookieName(facts.secure), name);
        const shown = open(undefined, facts).session.cookie;
        assert.deepEqual([shown.name, shown.secure], [name, (form ?? overHttps).includes('Secure;')]);
      }
      const codes = warned.mock.calls.map(({ arguments: [, options] }) => (options as { code?: string }).code);
      assert.deepEqual(codes, overHttp === null ? ['MADELEINE_INSECURE'] : []);
    });
  }
});

describe('which one counts', () => {
  it('not one that was made for the other kind of connection, or for another name', () => {
    const { open, begin } = sessionsWith();
    const [overHttp, overHttps] = [begin({ cart: 'tea' }), begin({ cart: 'tea' }, https)];
    assert.equal(open(overHttp).session['cart'], 'tea');
    assert.equal(open(overHttps, https).session['cart'], 'tea');
    assert.equal(open(overHttps.replace('__Host-session', 'session')).session['cart'], undefined);
    assert.equal(open(overHttp.replace('session', '__Host-session'), https).session['cart'], undefined);
  });
});

describe('when it is sent again', () => {
  const clock = createTestClock();

  it('never, while the browser keeps it until it closes', () => {
    const { answer, begin } = sessionsWith({ clock });
    const cookie = begin({ visits: 0 });
    for (const visits of [1, 2]) {
      clock.advance('10m');
      assert.deepEqual(
        answer(cookie, session => Object.assign(session, { visits })),
        [],
      );
      clock.advance('10m');
      assert.deepEqual(
        answer(cookie, () => {}),
        [],
      );
    }
  });

  it('not because another process made it; once, where that was by an older key', () => {
    const store = memoryStore();
    const older = 'an older secret of more than thirty-two bytes';
    const cookie = sessionsWith({ store, secret: older }).begin({ cart: 'tea' });
    assert.deepEqual(
      sessionsWith({ store, secret: older }).answer(cookie, () => {}),
      [],
    );
    const { answer } = sessionsWith({ store, secret: [secret, older] });
    const [line] = answer(cookie, () => {});
    assert.match(line as string, /^session=1\./);
    const made = (line as string).split(';')[0];
    assert.notEqual(made, cookie);
    assert.deepEqual(
      answer(made, () => {}),
      [],
    );
  });

  it('with each mark of being seen, by a read or by a write, where the browser keeps it as long as the session lives', () => {
    const { answer, begin } = sessionsWith({ clock, idle: '1h', cookie: { persistent: true } });
    const cookie = begin({ visits: 0 });
    const acts: Array<(session: object) => void> = [
      session => Object.assign(session, { visits: clock() }),
      session => void (session as Record<string, unknown>)['visits'],
    ];
    for (const act of acts) {
      clock.advance('10m');
      const [line, ...others] = answer(cookie, act);
      assert.equal(line?.split(';')[0], cookie);
      assert.match(line as string, /; Max-Age=3600;/);
      assert.deepEqual(others, []);
      clock.advance('1s');
      assert.deepEqual(answer(cookie, act), [], 'too soon for another mark');
    }
  });
});
