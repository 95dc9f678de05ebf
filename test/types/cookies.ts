// Compile-only: what the types of declared cookies promise.
import { defineCookie, type JsonValue, serializeCookie } from 'madeleine';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_Claim extends true>(): void => {};

const request = { headers: { cookie: '' } };
const headers = new Headers();

// Text unless it says otherwise.
const theme = defineCookie('theme');
const text = theme.read(request);
holds<Equal<typeof text, string | undefined>>();
theme.write(headers, 'dark');
// @ts-expect-error: not text
theme.write(headers, { dark: true });

// Any JSON value.
const cart = defineCookie('cart', { type: 'json' });
const json = cart.read(request);
holds<Equal<typeof json, JsonValue | undefined>>();
cart.write(headers, ['tea', { count: 2 }]);
// @ts-expect-error: JSON would not bring a function back
cart.write(headers, () => 'tea');

// What a Standard Schema takes goes in, what it makes comes out.
const visits = defineCookie('visits', {
  type: {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => ({ value: Number(value) }),
      types: undefined as { input: string; output: number } | undefined,
    },
  },
});
const count = visits.read(request);
holds<Equal<typeof count, number | undefined>>();
visits.write(headers, '3');
// @ts-expect-error: the schema takes text
visits.write(headers, 3);

// Attributes are a closed set.
serializeCookie('a', 'b', { sameSite: 'lax', priority: 'high' });
// @ts-expect-error: browsers know three values
serializeCookie('a', 'b', { sameSite: 'sometimes' });
// @ts-expect-error: no such attribute
serializeCookie('a', 'b', { colour: 'red' });
// @ts-expect-error: no such purpose
defineCookie('a', { purpose: 'fun' });
