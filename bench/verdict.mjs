// What a figure of now is, beside the one that was recorded.

/** Only growth is a regression; and what cannot be compared would not be guarded. */
export const FAILURES = ['REGRESSED', 'NOT RECORDED', 'GONE'];

/** @param slack the part of the recorded figure by which it may differ */
export function verdictOn(value, recorded, slack) {
  if (recorded === undefined) return 'NOT RECORDED';
  if (value === undefined) return 'GONE';
  if (value > recorded * (1 + slack)) return 'REGRESSED';
  return value < recorded * (1 - slack) ? 'less: record it' : 'as recorded';
}
