// Requests and responses that have from the start what Express will add to them: V8 gives them one hidden class then.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http';
import { connect, createSecureServer } from 'node:http2';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import v8 from 'node:v8';
import express, { type Express, type Request, type Response } from 'express';
import { cookies, session } from 'madeleine/express';
import { cert, key } from '../support/certificate.ts';
import { EXPRESSES } from '../support/expresses.ts';
import { HTTP2_ABORTS } from '../support/http2.ts';
import { serveOn } from '../support/serve.ts';
import { warningsIn } from '../support/warnings.ts';

const secret = 'a secret of more than thirty-two bytes';
/** Later versions have a V8 that can do without: nothing is prepared there. */
const IS_NEEDED = Number.parseInt(process.versions.node, 10) < 24;
const ALL_THE_SAME = { requests: true, responses: true };
const MIDDLEWARES = { session: () => session({ secret }), cookies: () => cookies() };

/** Has two requests in one handler at once; answers both, and says what `look` finds before and after. */
async function lookAtTwo<Found>(
  app: Express,
  url: string,
  look: (one: Request, other: Request) => Found,
): Promise<Found[]> {
  const found: Found[] = [];
  const held: Request[] = [];
  app.get('/held', req => {
    held.push(req);
    const [one, other] = held;
    if (one === undefined || other === undefined) return;
    const before = look(one, other);
    for (const { res } of held) res?.json({ held: true });
    found.push(before, look(one, other));
  });
  const answers = [1, 2].map(async () => (await fetch(`${url}/held`)).text());
  await Promise.all(answers);
  return found;
}

function haveSameClass(one: object, other: object): boolean {
  v8.setFlagsFromString('--allow-natives-syntax');
  return new Function('one', 'other', 'return %HaveSameMap(one, other)')(one, other);
}

async function withServer(server: Server, use: (url: string) => Promise<void>): Promise<void> {
  const served = await serveOn(server);
  try {
    await use(served.url);
  } finally {
    await served.close();
  }
}

for (const { name, express: make } of EXPRESSES) {
  for (const [called, middleware] of Object.entries(MIDDLEWARES)) {
    it(`${name}, ${called}(): after a few requests all have one hidden class`, async () => {
      const app = make();
      app.use(middleware());
      app.get('/', (_req, res) => void res.json({ first: true }));
      const server = createServer(app);
      await withServer(server, async url => {
        // What V8 assumed of the first few (a property that nobody ever changes) has to prove wrong.
        for (let i = 0; i < 10; i++) await (await fetch(url)).text();
        assert.equal(server.listenerCount('request'), IS_NEEDED ? 2 : 1);
        if (!IS_NEEDED) return;
        const same = await lookAtTwo(app, url, (one, other) => ({
          requests: haveSameClass(one, other),
          responses: haveSameClass(one.res as Response, other.res as Response),
        }));
        assert.deepEqual(same, [ALL_THE_SAME, ALL_THE_SAME]);
      });
    });
  }

  it(`${name}: what handlers see is the same at the first request and at the next`, async () => {
    const app = make();
    app.use(session({ secret }), cookies());
    const seen: unknown[] = [];
    app.use((req, res, next) => {
      const { params, query, route, originalUrl, baseUrl } = req;
      seen.push([
        { ...params },
        { ...query },
        route,
        originalUrl,
        baseUrl,
        res.statusCode,
        res.statusMessage,
        { ...res.locals },
      ]);
      next();
    });
    app.get('/of/:name', (req, res) => {
      seen.push([req.params['name'], req.query['q'], (req.route as { path: string }).path, res.statusCode]);
      res.locals['mine'] = 1;
      res.status(201).json(res.locals);
    });
    await withServer(createServer(app), async url => {
      const answers: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        const answer = await fetch(`${url}/of/tea?q=1`);
        answers.push([answer.status, answer.statusText, await answer.text()]);
        const missing = await fetch(`${url}/nowhere`);
        answers.push([missing.status, missing.statusText]);
        await missing.text();
      }
      assert.deepEqual(answers.slice(0, 2), [
        [201, 'Created', '{"mine":1}'],
        [404, 'Not Found'],
      ]);
      for (const lists of [answers, seen]) {
        const third = lists.length / 3;
        assert.deepEqual(lists.slice(third, 2 * third), lists.slice(0, third));
        assert.deepEqual(lists.slice(2 * third), lists.slice(0, third));
      }
    });
  });

  it(`${name}: who else listens to the server finds nothing there either; a server gets it once, whatever apps it has`, async () => {
    const apps = [1, 2].map(() => make().use(session({ secret }), cookies(), (_req, res) => void res.send('app')));
    const found: unknown[] = [];
    let served = 0;
    const server = createServer((req: IncomingMessage, res: ServerResponse) => {
      const { params, query, next, body } = req as Request & { next: unknown };
      found.push([
        params,
        query,
        next,
        res.statusCode,
        res.statusMessage,
        (res as Response).locals,
        body,
        'body' in req,
      ]);
      (apps[served++ % 2] as Express)(req, res);
    });
    await withServer(server, async url => {
      for (let i = 0; i < 6; i++) assert.equal(await (await fetch(url)).text(), 'app');
      assert.equal(server.listenerCount('request'), IS_NEEDED ? 2 : 1);
      for (const one of found)
        assert.deepEqual(one, [undefined, undefined, undefined, 200, undefined, undefined, undefined, false]);
    });
  });

  it(`${name}: what an application has put on Express's prototypes stays in sight`, async () => {
    // As without a session: Bun's responses have a status of their own.
    const answers = async (isOurs: boolean) => {
      const app = make();
      if (isOurs) app.use(session({ secret }));
      Object.assign(app.response, { locals: { site: 'shop' }, statusCode: 203, statusMessage: 'Mine' });
      app.get('/', (_req, res) => void res.json(res.locals));
      const found: unknown[] = [];
      await withServer(createServer(app), async url => {
        for (let i = 0; i < 3; i++) {
          const answer = await fetch(url);
          found.push([answer.status, answer.statusText, await answer.json()]);
        }
      });
      return found;
    };
    const bare = await answers(false);
    assert.deepEqual((bare[0] as unknown[])[2], { site: 'shop' });
    assert.deepEqual(await answers(true), bare);
  });
}

it("requests and responses of the application's own classes are left alone", async () => {
  class OwnRequest extends IncomingMessage {
    get params() {
      return {};
    }
  }
  class OwnResponse<Made extends IncomingMessage> extends ServerResponse<Made> {
    get locals() {
      return { mine: true };
    }
  }
  // Without Express, which stops at some such getters itself.
  const remember = session({ secret });
  const server = createServer({ IncomingMessage: OwnRequest, ServerResponse: OwnResponse }, (req, res) => {
    remember(req, res, () => void res.end(JSON.stringify(res.locals)));
  });
  await withServer(server, async url => {
    for (let i = 0; i < 3; i++) assert.equal(await (await fetch(url)).text(), '{"mine":true}');
  });
});

it('a request made by hand, with no server or none that can be listened to, is served', () => {
  for (const socket of [undefined, {}, { server: null }, { server: {} }, { server: 'none' }]) {
    const request = { headers: { cookie: 'theme=dark' }, socket } as unknown as Request;
    let isServed = false;
    cookies()(request, {}, () => {
      isServed = true;
    });
    assert.ok(isServed);
    assert.equal(request.cookies['theme'], 'dark');
  }
});

it('a server of HTTP/2 whose clients of HTTP/1 Express answers: the others get what is theirs, and Node warns of nothing', {
  skip: HTTP2_ABORTS,
}, async context => {
  const app = express();
  app.use(session({ secret }), (_req, res) => void res.send('Express'));
  const server = createSecureServer({ key, cert, allowHTTP1: true }, (req, res) => {
    if (req.httpVersionMajor === 1) app(req as unknown as Request, res as unknown as Response);
    else res.end(String(Object.hasOwn(req, 'params')));
  });
  const warnings = warningsIn(context);
  const served = await serveOn(server as unknown as Server, 'https');
  for (let i = 0; i < 2; i++) {
    const [answer] = await once(https.get(served.url, { agent: false, rejectUnauthorized: false }), 'response');
    assert.equal(await text(answer), 'Express');
  }
  const client = connect(served.url, { rejectUnauthorized: false });
  assert.equal(await text(client.request({ ':path': '/' })), 'false');
  client.close();
  await served.close();
  assert.deepEqual(warnings, []);
});
