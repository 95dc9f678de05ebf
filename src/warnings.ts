/** Warns the developer: once for each code, never in production. */
export type Warn = (code: string, message: string) => void;

export function createWarnings(): Warn {
  const given = new Set<string>();
  return (code, message) => {
    if (process.env['NODE_ENV'] === 'production' || given.has(code)) return;
    given.add(code);
    process.emitWarning(message, { type: 'MadeleineWarning', code });
  };
}
