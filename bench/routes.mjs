// What the application answers, the same on every framework: each route takes what that framework's handlers hold, and gives
// the text or a promise of it. How a contender reaches its session is its own affair, see contenders/.
import { SHAPES } from './data.mjs';
import { answers, KINDS, LARGE, padded, plainCookies } from './kinds.mjs';

/**
 * @param contender `sessionOf(at)`; `login(at, user)`; `userOf(at)`, where it is not in the session under that name;
 * `save(at)`, where nothing is saved by itself. For cookies alone: `cookiesOf`, `signedOf`, `setSigned`. A bare one has none
 * of these: it runs the same handlers on objects that are simply there.
 * @returns handlers by path
 */
export function createRoutes(contender, shape) {
  return contender.cookiesOf ? cookieRoutes(contender) : sessionRoutes(contender, shape);
}

function sessionRoutes(contender, shape) {
  const standIn = SHAPES[shape]();
  const largeStandIn = SHAPES[shape](LARGE);
  const nobody = {};
  const somebody = {};
  const isBare = !contender.sessionOf;
  const sessionOf = contender.sessionOf ?? (() => standIn);
  const largeOf = contender.sessionOf ?? (() => largeStandIn);
  const visitorOf = contender.sessionOf ?? (() => nobody);
  const userOf = contender.userOf ?? (at => (contender.sessionOf ?? (() => somebody))(at).user);
  const login =
    contender.login ??
    (async (_at, user) => {
      somebody.user = user;
    });
  const saved = contender.save ? (at, text) => contender.save(at).then(() => text) : (_at, text) => text;
  const fill = (filledOf, bytes) => at => {
    Object.assign(filledOf(at), SHAPES[shape](bytes));
    return saved(at, 'filled');
  };

  return {
    [KINDS.read.fill]: fill(sessionOf),
    [KINDS.large.fill]: fill(largeOf, LARGE),
    [KINDS.read.path]: at => answers.read(sessionOf(at)),
    [KINDS.large.path]: at => answers.read(largeOf(at)),
    [KINDS.write.path](at) {
      const session = sessionOf(at);
      session.n = (session.n ?? 0) + 1;
      return saved(at, answers.write(session));
    },
    [KINDS.none.path]: at => answers.visitor(visitorOf(at)),
    async [KINDS.login.path](at) {
      const before = userOf(at) ?? 0;
      await login(at, String(Number(before) + 1));
      return saved(at, answers.login(before, userOf(at)));
    },
    ...(isBare ? cookieRoutes({ cookiesOf: () => COOKIES, signedOf: () => SIGNED, setSigned() {} }) : {}),
  };
}

const COOKIES = plainCookies(0);
const SIGNED = {};

function cookieRoutes({ cookiesOf, signedOf, setSigned }) {
  return {
    [KINDS.parsed.path]: at => answers.parsed(cookiesOf(at)),
    [KINDS.signed.path](at) {
      const n = Number(signedOf(at).visits ?? 0) + 1;
      setSigned(at, 'visits', padded(n));
      return answers.signed(n);
    },
  };
}
