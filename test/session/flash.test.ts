// Flash messages in two tabs at once, over HTTP.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { it } from 'node:test';
import express from 'express';
import { session } from 'madeleine/express';
import { memoryStore } from 'madeleine/memory';
import { Client } from '../support/client.ts';
import { secret } from '../support/core-sessions.ts';
import { serve } from '../support/serve.ts';

/** Takes the messages in one tab, and puts others in from another before the first one answers; says what is taken then. */
async function takenLater(
  before: readonly string[],
  meanwhile: readonly string[],
  take = '/take/info',
): Promise<unknown> {
  const signs = new EventEmitter();
  const [taken, goOn] = [once(signs, 'taken'), once(signs, 'go on')];
  const app = express();
  app.use(session({ secret, store: memoryStore() }));
  app.get('/put/:type/:text', (req, res) => void res.json(req.flash(req.params.type, req.params.text)));
  app.get('/swap/:type/:text', (req, res) => {
    req.flash(req.params.type);
    res.json(req.flash(req.params.type, req.params.text));
  });
  app.get('/all', (req, res) => void res.json(req.flash()));
  app.get(['/take', '/take/:type'], async (req, res) => {
    const messages = req.params['type'] === undefined ? req.flash() : req.flash(req.params['type'] as string);
    signs.emit('taken');
    await goOn;
    if (typeof req.query['put'] === 'string') req.flash('info', req.query['put']);
    res.json(messages);
  });
  const served = await serve(app);
  const client = new Client(served.url);
  for (const path of before) await client.get(`/put/${path}`);
  const taking = client.get(take);
  await taken;
  for (const path of meanwhile) await client.get(path.startsWith('/') ? path : `/put/${path}`);
  signs.emit('go on');
  await taking;
  const all = (await client.get('/all')).json();
  await served.close();
  return all;
}

it('what one tab takes while another puts something in is gone, and what was put in is not', async () => {
  assert.deepEqual(await takenLater(['info/a'], ['info/b']), { info: ['b'] });
  assert.deepEqual(await takenLater(['info/a'], ['info/a']), { info: ['a'] });
  assert.deepEqual(await takenLater(['info/a', 'error/e'], ['error/f', 'info/b']), { error: ['e', 'f'], info: ['b'] });
  assert.deepEqual(await takenLater(['info/a', 'error/e'], ['error/f'], '/take'), { error: ['f'] });
  assert.deepEqual(await takenLater(['info/a'], []), {});
});

it('two tabs that take the same messages and put in one each have both of these shown', async () => {
  assert.deepEqual(await takenLater(['info/a'], ['/swap/info/b'], '/take/info?put=c'), { info: ['b', 'c'] });
  assert.deepEqual(await takenLater(['info/a', 'info/b'], ['/swap/info/c', 'info/d'], '/take?put=e'), {
    info: ['c', 'd', 'e'],
  });
  assert.deepEqual(await takenLater(['info/a'], ['/swap/info/b'], '/take/info?put=b'), { info: ['b', 'b'] });
});
