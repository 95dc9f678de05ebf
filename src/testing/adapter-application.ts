/** The application of the adapter suite: what a path says is done to the session. */
import type { MaybePromise } from '../maybe-promise.ts';
import type { Session } from '../session/bag.ts';
import type { AdapterAnswer, AdapterRequest, NodeWay } from './adapter-harness.ts';
import { NODE_WAYS } from './node-ways.ts';

export interface SuiteData {
  cart: string[];
  visits: number;
  [key: string]: unknown;
}

type SuiteSession = Session<SuiteData>;
type Action = (session: () => SuiteSession, args: string[], query: URLSearchParams) => MaybePromise<AdapterAnswer>;

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

/** What one check adds, by the first part of the path; Node's way for adapters that take Node's objects. */
export type Extra = Record<string, (session: () => SuiteSession) => MaybePromise<AdapterAnswer> | NodeWay>;

export function createApplication(extra: Extra): (request: AdapterRequest) => MaybePromise<AdapterAnswer> {
  return request => {
    const { pathname, searchParams: query } = new URL(request.url, 'http://suite.invalid');
    const [, name = '', ...args] = pathname.split('/').map(decodeURIComponent);
    const session = () => request.session() as SuiteSession;
    const added = extra[name]?.(session);
    if (added) return typeof added === 'function' ? { node: added } : added;
    const action = Object.hasOwn(ACTIONS, name) ? (ACTIONS[name] as Action) : () => text('reached');
    return action(session, args, query);
  };
}
