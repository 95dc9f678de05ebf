// npm start: the demo shop on SQLite.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createShop, DEMO_USERS } from './app.js';

const folder = path.resolve(process.env.SHOP_DATA ?? path.join(import.meta.dirname, 'data'));
const port = Number(process.env.PORT ?? 3000);

/** Made once and kept, so that a restart logs nobody out. */
function keptSecret() {
  const file = path.join(folder, 'secret');
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (kept !== '') return kept;
  rmSync(file, { force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secret = randomBytes(32).toString('base64url');
  writeFileSync(file, secret, { mode: 0o600, flag: 'wx' });
  return secret;
}

const shop = await createShop({ folder, secret: keptSecret() });
const server = shop.app.listen(port, '127.0.0.1');

server.on('listening', () => {
  const [demo, admin] = DEMO_USERS;
  console.log(`
  Temps retrouvé is open:  http://localhost:${server.address().port}

    Log in as   ${demo.email}   with  ${demo.password}
    or as       ${admin.email}  with  ${admin.password}   (may open /admin)

  Try this: put something into the cart, then log in; it is still there. Go dark. Open a second tab and add
  things in both. Then kill -9 this process (${process.pid}), start it again, and reload: all is as it was.
`);
});
server.on('error', error => {
  const busy = error.code === 'EADDRINUSE';
  console.error(busy ? `Port ${port} is in use. Choose another: PORT=3001 npm start` : error);
  process.exit(1);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(async () => {
      await shop.close();
      process.exit(0);
    });
    server.closeIdleConnections();
  });
}
