// Reads a .cpuprofile: where the time went, by function and by package, idle time left out.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(import.meta.dirname);

/**
 * @param profile the parsed file
 * @param lastSeconds how much of its end counts, so that start-up and warm-up do not
 * @returns `functions` and `packages`, each a list of `{ name, part }`, the largest first
 */
export function hotSpots(profile, lastSeconds) {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map();
  const packages = new Map();
  let busy = 0;
  let time = profile.startTime;
  profile.samples.forEach((id, index) => {
    time += profile.timeDeltas[index];
    const frame = frames.get(id);
    if (time < profile.endTime - lastSeconds * 1e6 || frame.functionName === '(idle)') return;
    // A sample stands for the time until the next one.
    const duration = profile.timeDeltas[index + 1] ?? 0;
    busy += duration;
    add(functions, functionName(frame), duration);
    add(packages, packageName(frame), duration);
  });
  return { functions: largestFirst(functions, busy), packages: largestFirst(packages, busy) };
}

function add(totals, name, duration) {
  totals.set(name, (totals.get(name) ?? 0) + duration);
}

function largestFirst(totals, busy) {
  return [...totals].map(([name, time]) => ({ name, part: time / busy })).sort((a, b) => b.part - a.part);
}

function functionName({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  return url ? `${name}  ${place(url)}:${lineNumber + 1}` : name;
}

function packageName({ functionName, url }) {
  if (!url) return functionName.startsWith('(') ? functionName : '(built-in)';
  const file = place(url);
  if (file.startsWith('node:')) return 'node';
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file.split('/')[0];
}

function place(url) {
  if (url.startsWith('node:')) return url;
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  return path.relative(root, file).replaceAll(path.sep, '/');
}
