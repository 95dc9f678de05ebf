/** Which line of the application called us, so that an error can name it. */
import { fileURLToPath } from 'node:url';
import { PACKAGE_URL } from '../package-url.ts';

const FOLDERS: readonly string[] = [PACKAGE_URL.href, fileURLToPath(PACKAGE_URL)];

/** `file:line:column` of the innermost caller outside this package and its packages; `null` where a bundler left no such line. */
export function callSite(): string | null {
  const { stackTraceLimit } = Error;
  // Refused under --frozen-intrinsics, where what the limit leaves must do.
  Reflect.set(Error, 'stackTraceLimit', 50);
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  const application = frames.find(
    frame =>
      !FOLDERS.some(folder => frame.includes(folder)) && !/[\\/]node_modules[\\/]/.test(frame) && PLACE.test(frame),
  );
  return PLACE.exec(application ?? '')?.[1] ?? null;
}

/** At the end of a frame; Node's own lines are `node:…`, and match nothing here. */
const PLACE = /[ (]((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*:\d+:\d+)\)?$/;
