// Stores may answer with promises of their drivers' own. What such a promise throws where it is asked is a fault of the store.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import express from 'express';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { request } from '../support/client.ts';
import { serve } from '../support/serve.ts';

for (const thrown of [new TypeError('the driver is closed'), undefined]) {
  it(`a store whose promise throws ${thrown ? 'an error' : 'nothing'} when it is asked: 503, and its cause`, async () => {
    const app = express();
    const store = memoryStore();
    store.create = () =>
      ({
        // biome-ignore lint/suspicious/noThenProperty: a promise of a driver's own
        then() {
          throw thrown;
        },
      }) as never;
    app.use(session({ secret: 'a secret of more than thirty-two bytes', store }));
    app.get('/', (req, res) => {
      req.session.visits = 1;
      res.end('saved');
    });
    let error: { code?: string; cause?: unknown } = {};
    app.use(((reason, _req, res, _next) => {
      error = reason;
      res.status(reason.status ?? 500).end();
    }) as express.ErrorRequestHandler);
    const served = await serve(app);
    const { status } = await request(served.url);
    await served.close();
    assert.deepEqual([status, error.code, error.cause], [503, 'ERR_STORE_FAILED', thrown]);
  });
}
