// The same tables drawn: one bar for each variant and kind, the middle half of the rounds as a line on its end. SVG by hand.

import { remembers } from './variants.mjs';

const SIZE = { width: 760, left: 230, right: 70, bar: 14, gap: 4, heading: 26, title: 34, top: 62 };
const COLOURS = { bare: '#9aa0a6', ours: '#b5651d', peers: '#5b7f95' };

/** @param groups each with `bars` and what the first one's `label` says of them, or with the `results` of a match: then it is the throughput that the CPU time leaves of bare */
export function chart(machine, groups) {
  const sections = groups.map(({ title, bars, results }) => ({ title, kinds: bars ?? results.map(leavesOfBare) }));
  const longest = Math.max(
    1,
    ...sections.flatMap(({ kinds }) => kinds.flatMap(({ bars }) => bars.map(({ high }) => high))),
  );
  const scale = (SIZE.width - SIZE.left - SIZE.right) / longest;
  const { parts, height } = draw(sections, scale);
  const one = SIZE.left + scale;
  const label = groups[0]?.label ?? 'requests per CPU second, 1 is the bare application';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(label)}</title>
<rect width="100%" height="100%" fill="#fff"/>
${text(12, 24, `${label} (longer is better)`, 'font-size="15" font-weight="600"')}
${text(12, 44, machine, 'font-size="10" fill="#666"')}
<line x1="${round(one)}" y1="${SIZE.top}" x2="${round(one)}" y2="${height - 8}" stroke="#999" stroke-dasharray="3 3"/>
${parts.join('\n')}
</svg>
`;
}

const leavesOfBare = ({ kind, variants }) => ({
  heading: kind,
  bars: variants.map(({ variant, cpuLeavesOfBare }) => ({ name: variant, ...cpuLeavesOfBare })),
});

function draw(sections, scale) {
  const parts = [];
  let y = SIZE.top;
  for (const { title, kinds } of sections) {
    y += SIZE.title;
    parts.push(text(12, y - 8, title, 'font-size="14" font-weight="600"'));
    for (const { heading, bars } of kinds) {
      y += SIZE.heading;
      parts.push(text(12, y - 8, heading, 'font-weight="600"'));
      for (const bar of bars) {
        parts.push(...drawBar(bar, y, scale));
        y += SIZE.bar + SIZE.gap;
      }
    }
  }
  return { parts, height: y + 20 };
}

function drawBar({ name, median, low, high }, y, scale) {
  const colour = !remembers(name) ? COLOURS.bare : name.startsWith('madeleine') ? COLOURS.ours : COLOURS.peers;
  const baseline = y + SIZE.bar - 3;
  const middle = y + SIZE.bar / 2;
  const x = value => round(SIZE.left + value * scale);
  return [
    text(SIZE.left - 8, baseline, name, 'text-anchor="end"'),
    `<rect x="${SIZE.left}" y="${y}" width="${round(median * scale)}" height="${SIZE.bar}" fill="${colour}"/>`,
    `<line x1="${x(low)}" y1="${middle}" x2="${x(high)}" y2="${middle}" stroke="#222"/>`,
    text(Number(x(high)) + 6, baseline, median.toFixed(2)),
  ];
}

const text = (x, y, content, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;

const round = value => value.toFixed(1);

const escaped = content =>
  content.replace(/[&<>"]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]);
