// A process that is told to end while its database server hangs: it closes its sessions, and is over when nothing keeps it.
import { createSessions } from 'madeleine';
import { mysqlStore } from 'madeleine/mysql';
import { postgresStore } from 'madeleine/postgres';

const { KIND, URL: url = '', BUSY } = process.env;
const store = KIND === 'mysql' ? mysqlStore(url) : postgresStore(url);
const sessions = createSessions({ secret: 'a secret of more than thirty-two bytes', store, storeTimeout: '1s' });
// Each change has a connection of its own.
await Promise.all(['a', 'b', 'c'].map(key => store.delete(key)));
process.once('SIGTERM', () => {
  for (let call = 0; call < Number(BUSY); call++) Promise.resolve(store.delete('a')).catch(() => {});
  sessions.close().catch(() => {});
});
console.log('ready');
