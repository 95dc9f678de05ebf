// Who may log in. Passwords are kept as scrypt hashes; an unknown user costs as much time as a wrong password.
import { randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';

const derive = promisify(scrypt);
const KEY_BYTES = 32;
const COST = { N: 16384, r: 8, p: 1 };

function openDatabase(file) {
  const require = createRequire(import.meta.url);
  const sqlite = process.getBuiltinModule('node:sqlite');
  return sqlite ? new sqlite.DatabaseSync(file) : new (require('better-sqlite3'))(file);
}

async function hash(password, salt) {
  return (await derive(password.normalize('NFKC'), salt, KEY_BYTES, COST)).toString('base64url');
}

export async function openUsers(file) {
  const database = openDatabase(file);
  database.exec(`
    PRAGMA busy_timeout = 5000;
    CREATE TABLE IF NOT EXISTS users (
      id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL, salt TEXT NOT NULL, hash TEXT NOT NULL
    )`);
  const find = database.prepare('SELECT * FROM users WHERE email = ?');
  const get = database.prepare('SELECT id, email, name, role FROM users WHERE id = ?');
  const insert = database.prepare('INSERT INTO users VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING');
  const everyone = database.prepare('SELECT id, email, name, role FROM users ORDER BY email');
  const nobody = { salt: randomBytes(16).toString('base64url'), hash: '' };
  nobody.hash = await hash('nobody knows', nobody.salt);

  return {
    byId: id => get.get(id) ?? null,
    all: () => everyone.all(),
    /** The new user, or null when the address is taken. */
    async register({ email, name, password, role = 'customer' }) {
      const salt = randomBytes(16).toString('base64url');
      const id = randomUUID();
      const { changes } = insert.run(id, email.toLowerCase(), name, role, salt, await hash(password, salt));
      return Number(changes) === 1 ? get.get(id) : null;
    },
    /** The user whose password this is, or null. */
    async check(email, password) {
      const found = find.get(email.toLowerCase());
      const { salt, hash: kept } = found ?? nobody;
      const right = timingSafeEqual(Buffer.from(await hash(password, salt)), Buffer.from(kept));
      return found && right ? get.get(found.id) : null;
    },
    close: () => database.close(),
  };
}
