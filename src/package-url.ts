/**
 * Where this package's files lie. Bundled into one CommonJS file it has an empty `import.meta`, and lies where that file does.
 */
import { pathToFileURL } from 'node:url';

const own: string | undefined = import.meta.url;

export const PACKAGE_URL: URL = new URL('.', own ?? pathToFileURL(__filename));
