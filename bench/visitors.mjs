// Who asks: the bytes of the next request, and whether the answer to it is right. They live in the load generator over all
// rounds, because what a session has to say next depends on what was said before.
import { randomInt } from 'node:crypto';
import { SHAPES } from './data.mjs';
import { filledUp, Jar } from './jar.mjs';
import { answers, foreignCookies, KINDS, LARGE, plainCookies } from './kinds.mjs';

/**
 * @param cookie the Cookie header that the visitor comes with
 * @param remembers false for the bare application, whose answers hold nothing of the visitor
 * @returns `{ request, answered(body, head) }`; the latter throws when the answer is wrong
 */
export function createVisitor(kind, { cookie, number, remembers, shape }) {
  const check = checkOf(kind, { number, remembers, shape });
  if (kind === 'forged') return forger(cookie, check);

  const jar = new Jar(KINDS[kind].fill ? cookie : '');
  const header = () => headerOf(kind, jar.header, number);
  const visitor = {
    request: requestBytes(kind, header()),
    answered(body, head) {
      check(body);
      if (!KINDS[kind].fill || !/\r\nset-cookie:/i.test(head)) return;
      jar.takeUp(setCookiesIn(head));
      visitor.request = requestBytes(kind, header());
    },
  };
  return visitor;
}

export const setCookiesIn = head => [...head.matchAll(/\r\nset-cookie: *([^\r]+)/gi)].map(([, line]) => line);

/** Another wrong signature with each request: a server that remembers the last ones has no use of it. */
function forger(cookie, check) {
  const request = requestBytes('forged', filledUp(cookie));
  const start = request.indexOf(cookie, 0, 'latin1');
  const places = signaturePlaces(cookie).map(place => start + place);
  // Far apart, so that no two visitors send the same one.
  let attempt = randomInt(36 ** 8);
  const forge = () => {
    attempt += 1;
    const digits = attempt.toString(36).padStart(places.length, 'x');
    for (const [index, place] of places.entries()) request[place] = digits.charCodeAt(index);
  };
  forge();
  return {
    request,
    answered(body) {
      check(body);
      forge();
    },
  };
}

/**
 * Ten characters of the signature, with which every format here ends: letters and digits, but none of a percent sequence or of
 * a version behind the signature, and not the last one, of which some bits have to be zero.
 */
export function signaturePlaces(cookie) {
  const places = [];
  for (const { 0: match, index } of cookie.matchAll(/%[0-9A-F]{2}|~\d+$|[A-Za-z0-9]/g)) {
    if (match.length === 1) places.push(index);
  }
  return places.slice(-11, -1);
}

function headerOf(kind, own, number) {
  if (kind === 'parsed') {
    return Object.entries(plainCookies(number))
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join('; ');
  }
  const { foreign = 0 } = KINDS[kind];
  const others = foreignCookies(foreign);
  const half = foreign / 2;
  return own && [...others.slice(0, half), filledUp(own), ...others.slice(half)].join('; ');
}

/** The bytes on the wire: the same for every variant, up to what the cookie says. */
function requestBytes(kind, header) {
  const lines = [`GET ${KINDS[kind].path} HTTP/1.1`, 'Host: localhost', 'User-Agent: madeleine-bench', 'Accept: */*'];
  if (header) lines.push(`Cookie: ${header}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function checkOf(kind, { number, remembers, shape }) {
  switch (kind) {
    case 'write':
      return remembers ? counting(0, n => answers.write({ n })) : ofLength(answers.write({ n: 0 }));
    case 'login':
      // The first login was the one that gave the cookie.
      return remembers ? counting(1, n => answers.login(n - 1, n)) : ofLength(answers.login(0, 0));
    case 'signed':
      return remembers ? counting(1, answers.signed) : ofLength(answers.signed(0));
    case 'parsed':
      return remembers ? being(answers.parsed(plainCookies(number))) : ofLength(answers.parsed(plainCookies(0)));
    case 'none':
    case 'forged':
      return being(answers.visitor({}));
    case 'large':
      return being(answers.read(SHAPES[shape](LARGE)));
    default:
      return being(answers.read(SHAPES[shape]()));
  }
}

const being = right => body => must(body === right, body, right);

const ofLength = example => body => must(body.length === example.length, body, `something like ${example}`);

/** A session that forgets one request gives the wrong number. */
function counting(start, answer) {
  let n = start;
  return body => {
    n += 1;
    const right = answer(n);
    must(body === right, body, right);
  };
}

function must(isRight, body, right) {
  if (!isRight) throw new Error(`wrong answer: '${body}' instead of '${right}'`);
}
