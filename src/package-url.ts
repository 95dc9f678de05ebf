/**
 * The folder of this package's files. Where a bundler has made one CommonJS file of everything, `import.meta` is empty, and it is the
 * folder of that file.
 */
import { pathToFileURL } from 'node:url';

const own: string | undefined = import.meta.url;

export const PACKAGE_URL: URL = new URL('.', own ?? pathToFileURL(__filename));
