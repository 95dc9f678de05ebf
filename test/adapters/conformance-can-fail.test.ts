// The adapter suite itself under test: an adapter with any of these faults is rejected.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createSessions } from 'madeleine';
import { session } from 'madeleine/node';
import {
  type AdapterConformanceOptions,
  type AdapterServerOptions,
  adapterChecks,
  runAdapterCheck,
} from 'madeleine/testing';
import { serve } from '../support/serve.ts';

type Respond = (res: ServerResponse, answer: { status: number; headers: object; body: string }) => void;
type Mount = (options: NonNullable<AdapterServerOptions['session']>) => {
  sessions: ReturnType<typeof createSessions>;
  open(req: IncomingMessage, res: ServerResponse, run: (session: () => object) => Promise<void>): void;
};

const respond: Respond = (res, { status, headers, body }) => void res.writeHead(status, { ...headers }).end(body);
const mount: Mount = options => {
  const { sessions, withSession } = session(options);
  return { sessions, open: (req, res, run) => withSession(request => run(() => request.session))(req, res) };
};

/** The core alone: nothing holds the response. */
const ungated =
  (when: 'before' | 'after'): Mount =>
  options => {
    const sessions = createSessions(options);
    const open = async (req: IncomingMessage, res: ServerResponse, run: (session: () => object) => Promise<void>) => {
      const opened = await sessions.open(req.headers.cookie, { secure: false, device: () => null });
      const cookie = () => {
        for (const { line } of opened.setCookies()) res.appendHeader('Set-Cookie', line);
      };
      if (when === 'before') await Promise.resolve(opened.commit()).then(cookie);
      await run(() => opened.session);
      if (when === 'after') await Promise.resolve(opened.commit()).catch(() => {});
    };
    return { sessions, open: (req, res, run) => void open(req, res, run).catch(() => res.destroy()) };
  };

function adapter(changes: { respond?: Respond; mount?: Mount }): AdapterConformanceOptions {
  const parts = { respond, mount, ...changes };
  return {
    name: 'an adapter',
    ways: [],
    node: false,
    async serve({ session: options, handle }) {
      const mounted = options && parts.mount(options);
      const served = await serve((req, res) => {
        const run = async (session: () => object): Promise<void> => {
          try {
            const answer = await handle({ url: req.url ?? '/', session });
            if ('body' in answer) parts.respond(res, answer);
          } catch {
            res.writeHead(500).end();
          }
        };
        if (mounted) mounted.open(req, res, run);
        else void run(() => ({}));
      });
      return { ...served, sessions: mounted?.sessions };
    },
  };
}

async function failing(options: AdapterConformanceOptions): Promise<string[]> {
  const failed: string[] = [];
  for (const check of adapterChecks(options)) {
    await runAdapterCheck(check, options).catch(() => failed.push(check.name));
  }
  return failed;
}

test('a good adapter without guards fails where guards are checked, and nowhere else', async () => {
  const failed = await failing(adapter({}));
  assert.ok(failed.length === 3 && failed.every(name => /^require/.test(name)), failed.join('\n'));
});

const faults: Record<string, { respond?: Respond; mount?: Mount; caught: RegExp }> = {
  'saves before the handler has run': { mount: ungated('before'), caught: /sees its own write/ },
  'saves after the answer, and sets no cookie': { mount: ungated('after'), caught: /live beside the session cookie/ },
  'replaces what others set, Vary and Set-Cookie': {
    respond(res, { status, headers, body }) {
      res.statusCode = status;
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
      const { setHeader } = res;
      res.setHeader = (name, value) => setHeader.call(res, name, name === 'Vary' ? 'Cookie' : value);
      res.end(body);
    },
    caught: /adds Vary: Cookie/,
  },
  'answers HEAD with nothing saved': {
    mount: options => {
      const { sessions, open } = mount(options);
      return {
        sessions,
        open: (req, res, run) => (req.method === 'HEAD' ? void res.writeHead(200).end() : open(req, res, run)),
      };
    },
    caught: /^HEAD/,
  },
  'loses all Cookie fields but the first pair': {
    mount: options => {
      const { sessions, open } = mount(options);
      return {
        sessions,
        open(req, res, run) {
          if (req.headers.cookie) req.headers.cookie = req.headers.cookie.split('; ')[0];
          open(req, res, run);
        },
      };
    },
    caught: /several Cookie fields/,
  },
};

for (const [fault, { caught, ...changes }] of Object.entries(faults)) {
  test(`an adapter that ${fault} is rejected`, async () => {
    const failed = await failing(adapter(changes));
    assert.ok(
      failed.some(name => caught.test(name)),
      failed.join('\n'),
    );
  });
}
