/**
 * What your application keeps in a session. Empty here: declare your own fields, and `req.session` knows them everywhere.
 *
 * ```ts
 * declare module 'madeleine' {
 *   interface SessionData { username: string; cart: string[] }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface SessionData {}
