/** Warns once for each code: the developer, and in production only of what is found nowhere else. */
export type Warn = (code: string, message: string, where?: 'development' | 'everywhere') => void;

export function createWarnings(): Warn {
  const given = new Set<string>();
  return (code, message, where = 'development') => {
    if (given.has(code) || (where === 'development' && process.env['NODE_ENV'] === 'production')) return;
    given.add(code);
    process.emitWarning(message, { type: 'MadeleineWarning', code });
  };
}
