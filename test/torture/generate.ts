// What a tab does next. Pure: the same numbers and the same knowledge give the same step.

import type { Random } from '../support/random.ts';
import type { Operation } from './history.ts';

/** One request to be made. */
export interface Step {
  operation: Operation;
  /** Whether the handler looks at the session, and says what it found, before it does anything. */
  look: boolean;
  /** How long the handler takes between looking and doing, in milliseconds: time for others to come in between. */
  pause: number;
  /** With an id that this browser had earlier, as somebody would who has copied it. */
  stale: boolean;
  /** The client goes away after this time in milliseconds; `null`: it waits for the answer. */
  patience: number | null;
}

/** What a tab knows when it decides. */
export interface Knowledge {
  /** For values that nobody else writes: the tab's name and how many steps it took. */
  tab: string;
  step: number;
  /** What the tab saw in the cart the last time it looked. */
  cart: readonly string[];
}

const WEIGHTS: ReadonlyArray<[kind: Operation['kind'], weight: number]> = [
  ['append', 22],
  ['set', 20],
  ['read', 16],
  ['increment', 14],
  ['remove', 10],
  ['delete', 6],
  ['touch', 3],
  ['rotate', 4],
  ['login', 3],
  ['logout', 2],
];
const KEYS = ['theme', 'language', 'step'];
/** A browser belongs to one person, and now and then to another. */
const USERS = ['ada', 'ada', 'ada', 'bob'];

export function nextStep(random: Random, knowledge: Knowledge): Step {
  const operation = operationOf(pickKind(random), random, knowledge);
  return {
    operation,
    look: operation.kind === 'read' || random(3) > 0,
    pause: random(2) * random(6),
    stale: random(20) === 0,
    patience: random(50) === 0 ? random(5) : null,
  };
}

function pickKind(random: Random): Operation['kind'] {
  let left = random(WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [kind, weight] of WEIGHTS) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'read';
}

function operationOf(kind: Operation['kind'], random: Random, { tab, step, cart }: Knowledge): Operation {
  const value = `${tab}.${step}`;
  switch (kind) {
    case 'set':
      return { kind, key: pick(KEYS, random), value };
    case 'delete':
      return { kind, key: pick(KEYS, random) };
    case 'append':
      return { kind, value };
    case 'remove':
      return cart.length === 0 ? { kind: 'append', value } : { kind, value: pick(cart, random) };
    case 'login':
      return { kind, user: pick(USERS, random) };
    default:
      return { kind };
  }
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)] as T;
}
