// bench/check.mjs compares this commit with recorded figures: here is where it must find nothing, and where it must find something.
// And what bench/scale.mjs finds that depends on no time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { need } from './servers/need.ts';
import { temporaryFolder } from './support/temporary-files.ts';

const folder = temporaryFolder();

function run(script: string, flags: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...flags], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, lines: stdout.trimEnd().split('\n'), all: stdout + stderr };
}

const check = (...flags: string[]) => run('bench/check.mjs', flags);

type Figures = Record<string, Record<string, Record<string, number>>>;

const recorded = (): Figures => JSON.parse(readFileSync('bench/expected.json', 'utf8'));

function checkAgainst(expected: Figures, ...flags: string[]) {
  const file = path.join(folder, 'expected.json');
  writeFileSync(file, JSON.stringify(expected));
  return check('--expected', file, ...flags);
}

/** What the table says of it: recorded, now, verdict. */
const rowOf = (lines: string[], figure: string) =>
  lines
    .find(line => line.startsWith(`  ${figure} `))
    ?.split(/ {2,}/)
    .slice(2)
    .join(' | ');

describe('npm run bench:check', () => {
  it('finds that no recorded figure has grown', () => {
    const { status, lines, all } = check();
    assert.equal(status, 0, all);
    assert.match(lines.at(-1) as string, /^\d\d checked, 0 regressed$/, all);
    assert.equal(rowOf(lines, 'express, read: store.read'), '1 | 1 | as recorded');
    assert.equal(rowOf(lines, 'express, write: promises'), '0 | 0 | as recorded');
  });

  it('round trips to real servers are what they were', { skip: need('redis', 'postgres', 'mariadb') }, () => {
    const { status, lines, all } = check('--parts', 'stores');
    assert.equal(status, 0, all);
    assert.equal(lines.at(-1), '12 checked, 0 regressed');
    for (const server of ['redis', 'postgres', 'mysql']) {
      assert.equal(rowOf(lines, `${server}, read`), '1 | 1 | as recorded');
      assert.equal(rowOf(lines, `${server}, write`), '2 | 2 | as recorded');
      assert.equal(rowOf(lines, `${server}, none`), '0 | 0 | as recorded');
    }
  });

  it('names what has grown, and ends with 1', () => {
    const expected = recorded();
    const { counts, size } = expected['any Node'] as Figures[string];
    assert.ok(counts && size);
    counts['express, write: store.read'] = 0;
    size['bytes gzipped'] = Math.round((size['bytes gzipped'] as number) / 1.03);
    const { status, lines, all } = checkAgainst(expected, '--parts', 'counts,size');
    assert.equal(status, 1, all);
    assert.equal(rowOf(lines, 'express, write: store.read'), '0 | 1 | REGRESSED');
    assert.match(rowOf(lines, 'bytes gzipped') ?? '', /REGRESSED$/);
    assert.match(lines.at(-1) as string, /^\d+ checked, 2 regressed$/);
  });

  it('says what is less, and fails on what is compared with nothing', () => {
    const expected = recorded();
    const { size } = expected['any Node'] as Figures[string];
    assert.ok(size);
    size['bytes gzipped'] = 2 * (size['bytes gzipped'] as number);
    const less = checkAgainst(expected, '--parts', 'size');
    assert.equal(less.status, 0, less.all);
    assert.match(rowOf(less.lines, 'bytes gzipped') ?? '', /less: record it$/);

    delete size['bytes gzipped'];
    size['another figure'] = 1;
    const { status, lines, all } = checkAgainst(expected, '--parts', 'size');
    assert.equal(status, 1, all);
    assert.match(rowOf(lines, 'bytes gzipped') ?? '', /NOT RECORDED$/);
    assert.match(rowOf(lines, 'another figure') ?? '', /GONE$/);
  });

  it('leaves out what depends on Node where nothing is recorded for this one', () => {
    const { status, lines, all } = checkAgainst({ 'any Node': {} }, '--parts', 'allocations');
    assert.equal(status, 0, all);
    assert.match(all, /^ *allocations: left out, because it depends on Node, and nothing is recorded for Node \d+$/m);
    assert.equal(lines.at(-1), '0 checked, 0 regressed');
  });
});

/** What --self-time asks of each framework and kind, for one of them. */
const OWN_SHARE = `
  import { Child } from './bench/child.mjs';
  const child = new Child('node', 'observed.mjs', { args: ['node', process.argv[1]] });
  console.log((await child.ask('selfTime', { kinds: ['none'] })).none);
  await child.stop();`;

describe('npm run bench:check -- --self-time', () => {
  it("knows the time of our files from Node's and the client's", () => {
    const shares = ['bare', 'madeleine'].map(variant => {
      const { lines, all } = run('--input-type=module', ['-e', OWN_SHARE, variant]);
      const share = Number(lines.at(-1));
      assert.ok(share >= 0 && share < 100, all);
      return share;
    });
    assert.equal(shares[0], 0);
    assert.ok((shares[1] as number) > 0);
  });
});

describe('npm run bench:scale', () => {
  it('finds that expired sessions give their memory back', () => {
    const { status, all } = run('bench/scale.mjs', ['--parts', 'memory', '--sessions', '20000']);
    assert.equal(status, 0, all);
    const shares = [...all.matchAll(/^madeleine, .* after expiry ([\d.]+) % is given back\.$/gm)].map(([, share]) =>
      Number(share),
    );
    assert.equal(shares.length, 2, all);
    for (const share of shares) assert.ok(share > 90, all);
  });
});
