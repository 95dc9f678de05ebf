// A history in words, for whoever has to find out what went wrong.
import type { Crash, Entry, History } from './history.ts';
import type { Violation } from './verdict.ts';

export function describeViolation({ kind, what, entries }: Violation, { crashes }: Pick<History, 'crashes'>): string {
  const from = Math.min(...entries.map(({ began }) => began));
  const to = Math.max(...entries.map(({ began, ended }) => (Number.isFinite(ended) ? ended : began)));
  const lines = [
    ...entries.map(entry => ({ at: entry.began, text: describeEntry(entry) })),
    ...crashes.filter(({ at }) => from <= at && at <= to).map(crash => ({ at: crash.at, text: describeCrash(crash) })),
  ].sort((a, b) => a.at - b.at);
  return [`${kind}: ${what}`, ...lines.map(({ text }) => `  ${text}`)].join('\n');
}

function describeEntry(entry: Entry): string {
  const { kind, ...of } = entry.operation;
  const asked = [kind, ...Object.values(of)].join(' ');
  const { live, user, data } = entry.seen ?? {};
  const found = entry.seen && (live ? `found ${user ?? 'nobody'} ${JSON.stringify(data)}` : 'found no session');
  const { cookie, count, outcome, problem } = entry;
  return [
    `${entry.began}-${entry.ended} ${entry.tab} ${entry.id ?? 'no id'}: ${asked}: ${outcome}`,
    ...(found ? [found] : []),
    ...(count === undefined ? [] : [`was told ${count}`]),
    ...(cookie === null ? [] : [cookie === 'cleared' ? 'the cookie was cleared' : `was given ${cookie.id}`]),
    ...(problem === undefined ? [] : [problem]),
  ].join(', ');
}

function describeCrash({ at, server }: Crash): string {
  return `${at} server ${server} was killed`;
}
