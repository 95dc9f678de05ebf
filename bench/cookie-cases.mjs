// The pairs of calls of the cookie bench: ours, the peer's, and what both have to give.
import assert from 'node:assert/strict';
import * as cookie from 'cookie';
import cookieSignature from 'cookie-signature';
import { attributeText } from '../.build/modules/cookie/attributes.js';
import { encodedPairText } from '../.build/modules/cookie/serialize.js';
import { createExpressVerifier, createSigner } from '../.build/modules/crypto/signature.js';
import { parseCookies } from '../.build/modules/index.js';

const SECRET = 'a-secret-that-is-long-enough-for-production';
const LONG = 'abcdefghijklmnopqrstuvwxyz012345'.repeat(100);
const UNICODE = 'à la recherche du temps perdu; "Combray", 1913';

export const CASES = [
  parse('short', 'theme=dark'),
  parse('long', `text=${LONG}`),
  parse('many', Array.from({ length: 50 }, (_, index) => `name${index}=value-${index}`).join('; ')),
  parse('encoded', Array.from({ length: 5 }, (_, index) => `name${index}=${encodeURIComponent(UNICODE)}`).join('; ')),

  serialize('short', 'dark', {}),
  serialize('long', LONG, {}),
  serialize('many attributes', 'dark', {
    ...{ maxAge: 3600, domain: 'shop.test', secure: true, httpOnly: true },
    ...{ partitioned: true, priority: 'high', sameSite: 'none' },
  }),
  serialize('encoded', UNICODE, {}),

  sign('short', '0000000042'),
  sign('long', LONG),
  sign('encoded', UNICODE),

  unsign('short', '0000000042', [SECRET]),
  unsign('long', LONG, [SECRET]),
  unsign('many keys', '0000000042', ['another-secret', 'and-one-more', SECRET]),
  unsign('encoded', UNICODE, [SECRET]),
  unsign('forged', '0000000042', ['another-secret']),
];

function parse(input, field) {
  const [ours, peers] = [() => parseCookies(field), () => cookie.parseCookie(field)];
  assert.deepEqual({ ...ours() }, { ...peers() });
  return { operation: 'parse', peer: 'cookie', input, ours, peers };
}

/** Values get encoded on both sides; cookie counts in seconds, and has no defaults. */
function serialize(input, value, { maxAge, ...others }) {
  const given = maxAge === undefined ? others : { ...others, maxAge: maxAge * 1000 };
  const theirs = { path: '/', sameSite: 'lax', ...others, ...(maxAge === undefined ? {} : { maxAge }) };
  const ours = () => encodedPairText('name', value) + attributeText('name', given);
  const peers = () => cookie.stringifySetCookie({ name: 'name', value, ...theirs });
  assert.deepEqual(meaning(ours()), meaning(peers()));
  return { operation: 'serialize', peer: 'cookie', input, ours, peers };
}

/** The attributes in any order; the value decoded. */
function meaning(line) {
  const [pair, ...attributes] = line.split('; ');
  return { pair: decodeURIComponent(pair), attributes: attributes.sort() };
}

/** The same MAC by the same key; ours is written in base64url and stands apart from the value. */
function sign(input, value) {
  const signer = createSigner([Buffer.from(SECRET)]);
  const [ours, peers] = [() => signer.sign(value), () => cookieSignature.sign(value, SECRET)];
  const mac = peers().slice(value.length + 1);
  assert.equal(ours(), mac.replaceAll('+', '-').replaceAll('/', '_'));
  return { operation: 'sign', peer: 'cookie-signature', input, ours, peers };
}

/** Several keys are tried one after the other, as cookie-parser does with cookie-signature; the last one fits. */
function unsign(input, value, secrets) {
  const signed = cookieSignature.sign(value, SECRET);
  const verified = createExpressVerifier(secrets);
  const ours = () => verified(signed);
  const peers = () => {
    for (const secret of secrets) {
      const found = cookieSignature.unsign(signed, secret);
      if (found !== false) return found;
    }
    return false;
  };
  assert.equal(ours(), peers());
  assert.equal(ours(), secrets.includes(SECRET) ? value : false);
  return { operation: 'unsign', peer: 'cookie-signature', input, ours, peers };
}
