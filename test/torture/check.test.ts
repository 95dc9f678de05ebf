// The judge judged: histories made by hand, each wrong in one way, or strange and yet all right.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { check } from './check.ts';
import { describeViolation } from './describe.ts';
import type { Entry, Operation, Seen } from './history.ts';

/** One request: when it began and ended ('1-2'; '1-' has no known end), with which id, and what it asked. */
function ask(span: string, id: string | null, asked: string, more: Partial<Entry> = {}): Entry {
  const [began, ended] = span.split('-');
  const unknown = ended === '';
  return {
    ...{ tab: 'tab', operation: operationOf(asked), id, seen: null, cookie: null },
    ...{ began: Number(began), ended: unknown ? Number.POSITIVE_INFINITY : Number(ended) },
    ...{ outcome: unknown ? 'unknown' : 'acknowledged', ...more },
  };
}

function operationOf(asked: string): Operation {
  const [kind, first = '', second = ''] = asked.split(' ');
  switch (kind) {
    case 'set':
      return { kind, key: first, value: second };
    case 'delete':
      return { kind, key: first };
    case 'append':
    case 'remove':
      return { kind, value: first };
    case 'login':
      return { kind, user: first };
    default:
      return { kind } as Operation;
  }
}

const saw = (data: Record<string, unknown>, user: string | null = null): { seen: Seen } => ({
  seen: { live: true, user, data },
});
const nothing = { seen: { live: false, user: null, data: {} } };
const given = (id: string) => ({ cookie: { id } });
const refused = { outcome: 'refused', ...nothing, problem: '409' } as const;
const told = (count: number) => ({ count });

/** The session `a` begins with tea in its cart. */
const tea = ask('1-2', null, 'append tea', given('a'));

type Story = [name: string, ...entries: Entry[]];

const WRONG: Record<string, Story[]> = {
  'lost write': [
    ['an append', tea, ask('3-4', 'a', 'append cake'), ask('5-6', 'a', 'read', saw({ cart: ['tea'] }))],
    [
      'an append that only others miss, at once',
      tea,
      ask('3-4', 'a', 'append cake'),
      ask('5-7', 'a', 'read', saw({ cart: ['tea'] })),
      ask('6-8', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    ['a removal', tea, ask('3-4', 'a', 'remove tea'), ask('5-6', 'a', 'read', saw({ cart: ['tea'] }))],
    ['a value', tea, ask('3-4', 'a', 'set theme dark'), ask('5-6', 'a', 'read', saw({ cart: ['tea'] }))],
    [
      'a value under an older one',
      tea,
      ask('3-4', 'a', 'set theme light'),
      ask('5-6', 'a', 'set theme dark'),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'light' })),
    ],
    [
      'a deletion',
      tea,
      ask('3-4', 'a', 'set theme dark'),
      ask('5-6', 'a', 'delete theme'),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'dark' })),
    ],
    [
      'a value that was set after a deletion',
      tea,
      ask('3-4', 'a', 'delete theme'),
      ask('5-6', 'a', 'set theme dark'),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    [
      'a visit',
      tea,
      ask('3-4', 'a', 'increment', told(1)),
      ask('5-6', 'a', 'increment', told(2)),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'], visits: 1 })),
    ],
    [
      'a visit, as another that came later tells',
      tea,
      ask('3-4', 'a', 'increment', told(1)),
      ask('5-6', 'a', 'increment', told(1)),
    ],
    ['one of two visits at once', tea, ask('3-5', 'a', 'increment', told(1)), ask('4-6', 'a', 'increment', told(1))],
    ['of a visitor without a session who is given none', ask('1-2', null, 'append tea')],
    [
      'with the id of a session that was logged out, and nobody is given another',
      tea,
      ask('3-4', 'a', 'logout'),
      ask('5-6', 'a', 'append cake'),
    ],
    [
      'that was there before the login',
      tea,
      ask('3-4', 'a', 'login ada', given('b')),
      ask('5-6', 'b', 'read', saw({}, 'ada')),
    ],
    [
      'that was there before the rotation',
      tea,
      ask('3-4', 'a', 'rotate', given('b')),
      ask('5-6', 'b', 'read', saw({})),
    ],
    [
      'that was seen, though its client was told nothing',
      tea,
      ask('3-', 'a', 'append cake'),
      ask('4-5', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
      ask('6-7', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    [
      'that was done before a login under way ended the session, as somebody saw',
      tea,
      ask('3-10', 'a', 'login ada', given('b')),
      ask('4-5', 'a', 'append cake'),
      ask('6-7', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
      ask('11-12', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
    ],
  ],
  'missed own write': [
    [
      'an append',
      tea,
      ask('3-4', 'a', 'append cake'),
      ask('5-6', 'a', 'read', saw({ cart: ['tea'] })),
      ask('7-8', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
    ],
    [
      'a value',
      tea,
      ask('3-4', 'a', 'set theme dark'),
      ask('5-6', 'a', 'read', saw({ cart: ['tea'] })),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'dark' })),
    ],
    [
      'a visit',
      tea,
      ask('3-4', 'a', 'increment', told(1)),
      ask('5-6', 'a', 'read', saw({ cart: ['tea'] })),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'], visits: 1 })),
    ],
  ],
  'ended session came back': [
    [
      'after a logout',
      tea,
      ask('3-4', 'a', 'logout', { cookie: 'cleared' }),
      ask('5-6', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    [
      'under the id that it had before a rotation',
      tea,
      ask('3-4', 'a', 'rotate', given('b')),
      ask('5-6', 'b', 'logout'),
      ask('7-8', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    ['after a login', tea, ask('3-4', 'a', 'login ada', given('b')), ask('5-6', 'a', 'read', saw({ cart: ['tea'] }))],
    [
      'after somebody saw that it is gone',
      tea,
      ask('3-', 'a', 'logout'),
      ask('4-5', 'a', 'read', nothing),
      ask('6-7', 'a', 'read', saw({ cart: ['tea'] })),
    ],
    [
      'after a refusal had said that it ended',
      tea,
      ask('3-', 'a', 'logout'),
      ask('4-5', 'a', 'increment', refused),
      ask('6-7', 'a', 'read', saw({ cart: ['tea'] })),
    ],
  ],
  'session vanished': [
    ['for a reader', tea, ask('3-4', 'a', 'read', nothing)],
    ['before its logout', tea, ask('3-4', 'a', 'read', nothing), ask('5-6', 'a', 'logout')],
    ['before its own logout', tea, ask('3-4', 'a', 'logout', nothing)],
    ['for a writer who is given another', tea, ask('3-4', 'a', 'append cake', given('b'))],
    ['for somebody whose cookie is cleared', tea, ask('3-4', 'a', 'touch', { cookie: 'cleared' })],
    ['for an update', tea, ask('3-4', 'a', 'increment', refused)],
  ],
  'wrong data': [
    ['what nobody wrote', tea, ask('3-4', 'a', 'read', saw({ cart: ['tea', 'poison'] }))],
    ['a value that nobody set', tea, ask('3-4', 'a', 'read', saw({ cart: ['tea'], theme: 'dark' }))],
    [
      'what was refused',
      tea,
      ask('3-4', 'a', 'append cake', { outcome: 'refused' }),
      ask('5-6', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
    ],
    ['one thing twice', tea, ask('3-4', 'a', 'read', saw({ cart: ['tea', 'tea'] }))],
    [
      'what is written only later',
      tea,
      ask('3-4', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
      ask('5-6', 'a', 'append cake'),
    ],
    ['more visits than there were', tea, ask('3-4', 'a', 'increment', told(2))],
    [
      "another session's",
      tea,
      ask('3-4', null, 'append cake', given('b')),
      ask('5-6', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
    ],
    [
      "another user's, after a login",
      ask('1-2', null, 'login bob', given('a')),
      ask('3-4', 'a', 'append tea'),
      ask('5-6', 'a', 'login ada', given('b')),
      ask('7-8', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
    ],
    ["another user's name", ask('1-2', null, 'login bob', given('a')), ask('3-4', 'a', 'read', saw({}, 'ada'))],
    ['a name after no login', tea, ask('3-4', 'a', 'read', saw({ cart: ['tea'] }, 'ada'))],
    [
      'with an id that a login had replaced',
      tea,
      ask('3-4', 'a', 'login ada', given('b')),
      ask('5-6', 'a', 'append cake'),
      ask('7-8', 'b', 'read', saw({ cart: ['tea', 'cake'] }, 'ada')),
    ],
    [
      'of a session that was logged out before the login',
      tea,
      ask('3-4', 'a', 'logout'),
      ask('5-6', 'a', 'login ada', given('b')),
      ask('7-8', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
    ],
  ],
  'login undone': [
    [
      'a write with the old id begins a session',
      tea,
      ask('3-4', 'a', 'login ada', given('b')),
      ask('5-6', 'a', 'append cake', given('c')),
    ],
    ['even if nobody heard of the login', tea, ask('3-', 'a', 'login ada'), ask('4-5', 'a', 'append cake', given('c'))],
  ],
  'unexpected answer': [['a fault of the server', ask('1-2', null, 'read', { outcome: 'unexpected', problem: '500' })]],
};

const RIGHT: Story[] = [
  ['nothing at all'],
  ['a stranger who reads', ask('1-2', null, 'read', nothing)],
  [
    'what was written is there',
    tea,
    ask('3-4', 'a', 'set theme dark'),
    ask('5-6', 'a', 'increment', told(1)),
    ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'dark', visits: 1 })),
  ],
  [
    'a reader beside a writer sees it',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
  ],
  [
    'a reader beside a writer does not see it',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea'] })),
  ],
  [
    'two values at once: the one that ended first stands',
    tea,
    ask('3-5', 'a', 'set theme dark'),
    ask('4-6', 'a', 'set theme light'),
    ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'dark' })),
  ],
  [
    'two values at once: the one that ended last stands',
    tea,
    ask('3-5', 'a', 'set theme dark'),
    ask('4-6', 'a', 'set theme light'),
    ask('7-8', 'a', 'read', saw({ cart: ['tea'], theme: 'light' })),
  ],
  [
    'deletion against change: the change',
    tea,
    ask('3-4', 'a', 'set theme dark'),
    ask('5-7', 'a', 'delete theme'),
    ask('6-8', 'a', 'set theme light'),
    ask('9-10', 'a', 'read', saw({ cart: ['tea'], theme: 'light' })),
  ],
  [
    'deletion against change: the deletion',
    tea,
    ask('3-4', 'a', 'set theme dark'),
    ask('5-7', 'a', 'delete theme'),
    ask('6-8', 'a', 'set theme light'),
    ask('9-10', 'a', 'read', saw({ cart: ['tea'] })),
  ],
  [
    'removed and appended at once',
    tea,
    ask('3-5', 'a', 'remove tea'),
    ask('4-6', 'a', 'append cake'),
    ask('7-8', 'a', 'read', saw({ cart: ['cake'] })),
  ],
  ['a removal under way', tea, ask('3-6', 'a', 'remove tea'), ask('4-5', 'a', 'read', saw({ cart: ['tea'] }))],
  [
    'a removal that had nothing to remove yet',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'remove cake'),
    ask('7-8', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
  ],
  [
    'an unknown write that was not done',
    tea,
    ask('3-', 'a', 'append cake'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea'] })),
  ],
  [
    'an unknown write that was done',
    tea,
    ask('3-', 'a', 'append cake'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea', 'cake'] })),
  ],
  [
    'an unknown write that was done late',
    tea,
    ask('3-', 'a', 'set theme dark'),
    ask('4-5', 'a', 'set theme light'),
    ask('6-7', 'a', 'read', saw({ cart: ['tea'], theme: 'light' })),
    ask('8-9', 'a', 'read', saw({ cart: ['tea'], theme: 'dark' })),
  ],
  [
    'unknown visits count or not',
    tea,
    ask('3-', 'a', 'increment'),
    ask('4-', 'a', 'increment'),
    ask('5-6', 'a', 'increment', told(2)),
    ask('7-8', 'a', 'read', saw({ cart: ['tea'], visits: 3 })),
  ],
  [
    'a write that was dropped because its session was logged out',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'logout'),
    ask('7-8', 'a', 'read', nothing),
  ],
  [
    'a write across a login went along',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'login ada', given('b')),
    ask('7-8', 'b', 'read', saw({ cart: ['tea', 'cake'] }, 'ada')),
  ],
  [
    'a write across a login was dropped',
    tea,
    ask('3-6', 'a', 'append cake'),
    ask('4-5', 'a', 'login ada', given('b')),
    ask('7-8', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
  ],
  [
    'a write with an id that a login had replaced is dropped',
    tea,
    ask('3-4', 'a', 'login ada', given('b')),
    ask('5-6', 'a', 'append cake'),
    ask('7-8', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
  ],
  [
    'two logins at once: one may come too late for the cart',
    tea,
    ask('3-5', 'a', 'login ada', given('b')),
    ask('4-6', 'a', 'login ada', given('c')),
    ask('7-8', 'b', 'read', saw({ cart: ['tea'] }, 'ada')),
    ask('9-10', 'c', 'read', saw({}, 'ada')),
  ],
  [
    "another user's login begins empty",
    ask('1-2', null, 'login bob', given('a')),
    ask('3-4', 'a', 'append tea'),
    ask('5-6', 'a', 'login ada', given('b')),
    ask('7-8', 'b', 'read', saw({}, 'ada')),
  ],
  [
    'a login that nobody heard of ended the session',
    tea,
    ask('3-', 'a', 'login ada'),
    ask('4-5', 'a', 'read', nothing),
  ],
  [
    'a login that nobody heard of did not end it',
    tea,
    ask('3-', 'a', 'login ada'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea'] })),
  ],
  [
    'both ids of a rotation',
    tea,
    ask('3-4', 'a', 'rotate', given('b')),
    ask('5-6', 'a', 'append cake'),
    ask('7-8', 'b', 'read', saw({ cart: ['tea', 'cake'] })),
  ],
  [
    'while a logout is under way the session may be there or not',
    tea,
    ask('3-8', 'a', 'logout'),
    ask('4-5', 'a', 'read', saw({ cart: ['tea'] })),
    ask('6-7', 'a', 'read', nothing),
  ],
  [
    'after a logout another session begins',
    tea,
    ask('3-4', 'a', 'logout'),
    ask('5-6', 'a', 'append cake', given('b')),
    ask('7-8', 'b', 'read', saw({ cart: ['cake'] })),
  ],
  [
    'an update refused because the session had ended',
    tea,
    ask('3-5', 'a', 'logout'),
    ask('4-6', 'a', 'increment', refused),
  ],
];

for (const [kind, stories] of Object.entries(WRONG)) {
  describe(`${kind}: the judge finds`, () => {
    for (const [name, ...entries] of stories) {
      it(name, () => {
        const kinds = new Set(check({ entries }).map(violation => violation.kind));
        assert.deepEqual([...kinds], [kind]);
      });
    }
  });
}

describe('the judge lets pass', () => {
  for (const [name, ...entries] of RIGHT) it(name, () => assert.deepEqual(check({ entries }), []));
});

it('a violation is told with what has to do with it, and no more', () => {
  const entries = [
    ...[tea, ask('3-4', 'a', 'append cake'), ask('5-8', 'a', 'rotate', given('b')), ask('6-7', 'a', 'touch')],
    ask('9-10', 'b', 'read', saw({ cart: ['tea'] })),
  ];
  const [violation] = check({ entries });
  assert.ok(violation);
  const words = describeViolation(violation, {
    crashes: [
      { at: 7, server: 2 },
      { at: 11, server: 1 },
    ],
  });
  assert.deepEqual(words.split('\n'), [
    'lost write: "cake" is not in the cart',
    '  3-4 tab a: append cake: acknowledged',
    '  5-8 tab a: rotate: acknowledged, was given b',
    '  7 server 2 was killed',
    '  9-10 tab b: read: acknowledged, found nobody {"cart":["tea"]}',
  ]);
});
