// What clients ask for, as the fault matrix asks for it; and what each sees at its next request, granted or refused.
import type { RequestHandler } from 'express';

/** What `/data` shows of a session. */
export interface Shown {
  cart: string[];
  visits: number;
  userId: string | null;
}

export const NOBODY: Shown = { cart: [], visits: 0, userId: null };
const guest: Shown = { ...NOBODY, cart: ['plum'] };
const ada: Shown = { ...guest, userId: 'ada' };
const START = { visitor: NOBODY, guest, ada };

export interface Wish {
  /** Who asks: somebody without a session, with an anonymous one, or logged in. */
  as: keyof typeof START;
  path: string;
  before: Shown;
  /** What the next request shows if the wish was granted. */
  granted: Shown;
  /** What it may show if the wish was refused and it is certain that the call which failed was not done. */
  refused: Shown[];
  /** What it may show besides if that call was perhaps done: its answer was lost, or came too late. */
  unsure: Shown[];
}

function wish(as: Wish['as'], path: string, granted: Partial<Shown>, more: Partial<Wish> = {}): Wish {
  const before = START[as];
  const after = { ...before, ...granted };
  return { as, path, before, granted: after, refused: [before], unsure: [after], ...more };
}

/** A new id was on its way when the answer was lost, and the store has been down since: the client has to begin anew. */
const lost = { unsure: [NOBODY] };

export const WISHES: readonly Wish[] = [
  wish('visitor', '/data', {}),
  wish('visitor', '/add/cake', { cart: ['cake'] }),
  wish('visitor', '/login/ada', { userId: 'ada' }),
  wish('visitor', '/count', { visits: 1 }),

  wish('guest', '/data', {}),
  wish('guest', '/add/cake', { cart: ['plum', 'cake'] }),
  wish('guest', '/redirect/cake', { cart: ['plum', 'cake'] }),
  wish('guest', '/stream/cake', { cart: ['plum', 'cake'] }),
  wish('guest', '/touch', {}),
  wish('guest', '/count', { visits: 1 }),
  // The first of two saves may be done when the second is refused; the client is told of an error either way.
  wish('guest', '/twice/cake', { cart: ['plum', 'cake'], visits: 1 }, { refused: [guest, { ...guest, visits: 1 }] }),
  wish('guest', '/login/ada', { userId: 'ada' }, lost),
  wish('guest', '/rotate', {}, lost),
  wish('guest', '/regenerate/cake', { cart: ['cake'] }, { refused: [guest, NOBODY] }),

  wish('ada', '/add/cake', { cart: ['plum', 'cake'] }),
  wish('ada', '/login/ada', {}, lost),
  wish('ada', '/login/bob', { cart: [], userId: 'bob' }, lost),
  wish('ada', '/rotate', {}, lost),
  // A logout that is refused may be half done, which is as good as done: nobody is logged in.
  wish('ada', '/logout', NOBODY, { refused: [ada, NOBODY] }),
];

export const ROUTES: Record<string, RequestHandler> = {
  '/data': (req, res) => {
    const { cart = [], visits = 0, about } = req.session;
    res.json({ cart, visits, userId: about.userId });
  },
  '/add/:item': (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.send('added');
  },
  '/redirect/:item': (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.redirect('/data');
  },
  '/stream/:item': (req, res) => {
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.write('first');
    setImmediate(() => res.end('last'));
  },
  '/touch': (req, res) => {
    req.session.touch();
    res.send('touched');
  },
  '/count': async (req, res) => {
    const visits = await req.session.update(data => {
      data.visits = (data.visits ?? 0) + 1;
      return data.visits;
    });
    res.send(`counted ${visits}`);
  },
  '/twice/:item': async (req, res) => {
    req.session.visits = 1;
    await req.session.save();
    req.session.cart = [...(req.session.cart ?? []), req.params['item'] as string];
    res.send('saved twice');
  },
  '/login/:user': async (req, res) => {
    await req.session.login(req.params['user'] as string);
    res.redirect('/data');
  },
  '/logout': async (req, res) => {
    await req.session.logout();
    res.redirect('/data');
  },
  '/rotate': async (req, res) => {
    await req.session.rotate();
    res.send('rotated');
  },
  '/regenerate/:item': async (req, res) => {
    await req.session.regenerate();
    req.session.cart = [req.params['item'] as string];
    res.send('begun anew');
  },
};
