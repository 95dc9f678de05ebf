import nodeModule from 'node:module';
import { MadeleineError } from '../errors.ts';
import { PACKAGE_URL } from '../package-url.ts';

// Not createRequire by its name: bundlers know that, look for the peers while they bundle, and put nothing in its place.
const require = nodeModule.createRequire(PACKAGE_URL);

/**
 * Loads an optional peer dependency, synchronously, at the moment something needs it.
 *
 * @param file what of it: all, or its package.json, for which none of its code is run
 * @param wanted what to install, where it is not there: a name, and a version where not every one will do
 * @throws MadeleineError `ERR_DRIVER_MISSING`, with the loader's error as its cause
 */
export function loadPeer(name: string, file: string = name, wanted: string = name): unknown {
  try {
    return require(file);
  } catch (cause) {
    throw new MadeleineError(
      'ERR_DRIVER_MISSING',
      `The package "${name}" is not installed, or cannot be loaded here.`,
      `Run: npm install ${wanted}`,
      { cause },
    );
  }
}
