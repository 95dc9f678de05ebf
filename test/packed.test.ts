// The tarball as the registry would have it, read by the tools that know what resolvers do with it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';

const folder = mkdtempSync(path.join(tmpdir(), 'madeleine-packed-'));
after(() => rmSync(folder, { recursive: true }));
const options = ['--ignore-scripts', '--silent', '--pack-destination', folder];
const tarball = path.join(folder, execFileSync('npm', ['pack', ...options], { encoding: 'utf8' }).trim());

const tools: Record<string, string[]> = {
  publint: ['--strict', tarball],
  attw: ['--profile', 'esm-only', tarball],
};
for (const [tool, args] of Object.entries(tools)) {
  it(`${tool} finds nothing`, () => {
    const { status, stdout, stderr } = spawnSync(path.resolve('node_modules/.bin', tool), args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}
