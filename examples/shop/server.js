// npm start: the demo shop on SQLite.
import path from 'node:path';
import { createShop, DEMO_USERS } from './app.js';
import { keptSecret } from './secret.js';

const folder = path.resolve(process.env.SHOP_DATA ?? path.join(import.meta.dirname, 'data'));
const port = process.env.PORT ?? '3000';

const WRONG_PORT = { EADDRINUSE: 'is in use', ERR_SOCKET_BAD_PORT: 'is not possible' };

function giveUp(error) {
  const wrong = WRONG_PORT[error.code];
  console.error(
    wrong
      ? `Port ${port} ${wrong}. Choose another: PORT=3001 npm start`
      : `The shop cannot start: ${error.message}\nIts data are in ${folder}. Choose another folder: SHOP_DATA=/tmp/shop npm start`,
  );
  process.exit(1);
}

let shop;
let server;
try {
  shop = await createShop({ folder, secret: keptSecret(folder) });
  server = shop.app.listen(Number(port), '127.0.0.1');
} catch (error) {
  giveUp(error);
}
server.on('error', giveUp);
server.on('listening', () => {
  const [demo, admin] = DEMO_USERS;
  console.log(`
  Temps retrouvé is open:  http://localhost:${server.address().port}

    Log in as   ${demo.email}   with  ${demo.password}
    or as       ${admin.email}  with  ${admin.password}   (may open /admin)

  Try this: put something into the cart, then log in; it is still there. Go dark. Open a second tab and add
  things in both. Then kill -9 this process (${process.pid}), start it again, and reload: all is as it was.
  At its foot each page says what cookie and session have to do with it.
`);
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
