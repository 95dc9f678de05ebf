/** The application of the adapter suite: what a path says is done to the session. `?wait=name` stops a request in its handler. */
import type { Session } from '../session/bag.ts';
import type { AdapterAnswer, AdapterRequest, NodeWay } from './adapter-harness.ts';
import { NODE_WAYS } from './node-ways.ts';

export interface SuiteData {
  cart: string[];
  visits: number;
  [key: string]: unknown;
}

type SuiteSession = Session<SuiteData>;
type Action = (
  session: () => SuiteSession,
  args: string[],
  query: URLSearchParams,
) => Promise<AdapterAnswer> | AdapterAnswer;

const text = (body: string, headers: Record<string, string | string[]> = {}): AdapterAnswer => ({
  status: 200,
  headers: { 'content-type': 'text/plain', ...headers },
  body,
});
const json = (value: unknown): AdapterAnswer => text(JSON.stringify(value), { 'content-type': 'application/json' });

/** Counts up; also what an update does. */
export function visit(data: Partial<SuiteData>): number {
  data.visits = (data.visits ?? 0) + 1;
  return data.visits;
}

function add(data: Partial<SuiteData>, item: string): void {
  data.cart = [...(data.cart ?? []), item];
}

const ACTIONS: Record<string, Action> = {
  look: () => text('looked at nothing'),
  data: session => json({ ...session(), userId: session().about.userId }),
  put(session, [key = '', value]) {
    session()[key] = value;
    return text('put');
  },
  add(session, [item = '']) {
    add(session(), item);
    return text('added');
  },
  visit: session => text(String(visit(session()))),
  count: async session => text(String(await session().update(visit))),
  async login(session, [user = ''], query) {
    await session().login(user, { remember: query.has('remember') });
    return json({ ...session() });
  },
  async logout(session) {
    await session().logout();
    return text('out');
  },
  async rotate(session) {
    await session().rotate();
    return text('rotated');
  },
  async regenerate(session) {
    await session().regenerate();
    session()['fresh'] = true;
    return text('regenerated');
  },
  redirect(session, [item = '']) {
    add(session(), item);
    return { status: 303, headers: { location: '/data' }, body: '' };
  },
  throw(session) {
    visit(session());
    throw new Error('thrown by the application');
  },
  cookies(session) {
    visit(session());
    return text('cookies', { 'set-cookie': ['a=1', 'b=2'] });
  },
  headers(session, _args, query) {
    visit(session());
    return text('headers', Object.fromEntries(query));
  },
  peek(session, _args, query) {
    void session().visits;
    return text('peeked', Object.fromEntries(query));
  },
  way(session, [name = '']) {
    visit(session());
    return { way: name };
  },
  node(session, [name = '']) {
    visit(session());
    return { node: NODE_WAYS[name] as NodeWay };
  },
};

/** Says a name to those who wait for it. */
export class Stops {
  readonly #arrived = new Map<string, PromiseWithResolve>();
  readonly #left = new Map<string, PromiseWithResolve>();

  /** In the application: waits until `go`. */
  async stopAt(name: string): Promise<void> {
    once(this.#arrived, name).resolve();
    await once(this.#left, name).promise;
  }
  /** Resolves when a request waits there. */
  waiting(name: string): Promise<void> {
    return once(this.#arrived, name).promise;
  }
  /** Lets it on. */
  go(name: string): void {
    once(this.#left, name).resolve();
  }
}

interface PromiseWithResolve {
  promise: Promise<void>;
  resolve(): void;
}

function once(all: Map<string, PromiseWithResolve>, name: string): PromiseWithResolve {
  const present = all.get(name);
  if (present) return present;
  let resolve: () => void = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  const made = { promise, resolve };
  all.set(name, made);
  return made;
}

/** @param extra what one check adds: by the first part of the path */
export function createApplication(
  stops: Stops,
  extra: Record<string, (session: () => SuiteSession) => NodeWay>,
): (request: AdapterRequest) => Promise<AdapterAnswer> | AdapterAnswer {
  return request => {
    const { pathname, searchParams: query } = new URL(request.url, 'http://suite.invalid');
    const [, name = '', ...args] = pathname.split('/').map(decodeURIComponent);
    const session = () => request.session() as SuiteSession;
    const added = extra[name];
    if (added) return { node: added(session) };
    const action = Object.hasOwn(ACTIONS, name) ? (ACTIONS[name] as Action) : () => text('reached');
    const stop = query.get('wait');
    if (stop === null) return action(session, args, query);
    void session().about;
    return stops.stopAt(stop).then(() => action(session, args, query));
  };
}
