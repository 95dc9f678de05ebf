/** Guards called `(request, response, next)`, for Express, connect and polka. */
import { createGuards, type Guards, type Refusal } from '../http/guard.ts';
import { asHttp1, type NodeRequest, type NodeResponse } from '../http/http2.ts';
import type { Next } from '../http/mount.ts';
import { askGuard } from '../http/node-guard.ts';
import { whenSettled } from '../maybe-promise.ts';

type GuardMiddleware = (request: NodeRequest, response: NodeResponse, next: Next) => void;

const guards: Guards<NodeRequest, GuardMiddleware> = createGuards((guard, place) => (request, response, next) => {
  whenSettled(
    () => askGuard(guard, asHttp1(request), asHttp1(response), request, place),
    refusal => (refusal ? refuse(response, refusal) : next()),
    next,
  );
});
export const requireLogin: typeof guards.requireLogin = guards.requireLogin;
export const requireUser: typeof guards.requireUser = guards.requireUser;
export const requireRecentLogin: typeof guards.requireRecentLogin = guards.requireRecentLogin;
export const requireSameOrigin: typeof guards.requireSameOrigin = guards.requireSameOrigin;

function refuse(response: NodeResponse, { status, headers, body }: Refusal): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  response.end(body);
}
