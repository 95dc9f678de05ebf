import { type BrowserContext, chromium } from 'playwright-core';
import { program } from '../servers/programs.ts';

/** Without these a browser on a machine without a network spends its time on connections that are refused. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

type Options = NonNullable<Parameters<typeof chromium.launchPersistentContext>[1]>;

/** A browser with this folder as its profile: opened again on the same folder it is the same person's browser. */
export function openBrowser(profile: string, options: Options = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: program('chromium'),
    headless: true,
    args: ARGUMENTS,
    ...options,
  });
}
