// Who is measured: contenders by framework, each beside the bare application of its own. A package is imported only in the
// process that runs it.
import { contenders as express } from './contenders/express.mjs';
import { contenders as fastify } from './contenders/fastify.mjs';
import { contenders as hono } from './contenders/hono.mjs';
import { contenders as koa } from './contenders/koa.mjs';
import { contenders as node } from './contenders/node.mjs';
import { KINDS } from './kinds.mjs';

/** `make({ url, keep })` gives what routes.mjs wants; `keep` is handed every store that is made in the process. */
export const CONTENDERS = { express, fastify, koa, hono, node };

export const defaultsOf = framework => [
  'bare',
  ...Object.keys(CONTENDERS[framework]).filter(name => CONTENDERS[framework][name].byDefault),
];

/** Only a bare application has no sessions: its answers cannot be checked for memory. */
export const remembers = name => !name.startsWith('bare');

/** Whether it has what this kind of request is about, sessions or cookies alone. */
const isConcerned = (framework, name, kind) =>
  !remembers(name) || (CONTENDERS[framework][name].of ?? 'sessions') === KINDS[kind].of;

/** Why it cannot answer this kind of request, in words, or undefined. */
export const inability = (framework, name, kind) =>
  isConcerned(framework, name, kind) ? CONTENDERS[framework][name].cannot?.[kind] : undefined;

export const takesPart = (framework, name, kind) =>
  isConcerned(framework, name, kind) && inability(framework, name, kind) === undefined;

/** While the package is being written, its absence is said in words and does not stop the others. */
export const notBuilt = (name, error) =>
  name.startsWith('madeleine') && error.code === 'ERR_MODULE_NOT_FOUND' && /[\\/]dist[\\/]/.test(error.message);
