import { existsSync } from 'node:fs';
import { type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
/** Without these a browser on a machine without a network spends its time on connections that are refused. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

/** Why tests in a browser are skipped; `false` where there is one. In CI a missing browser is a failure. */
export function needBrowser(): string | false {
  if (existsSync(CHROMIUM)) return false;
  const reason = `not installed: ${CHROMIUM} (Debian: apt-get install chromium)`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

/** A browser with this folder as its profile: opened again on the same folder it is the same person's browser. */
export function openBrowser(profile: string, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: ARGUMENTS,
    ...options,
  });
}
