// The tables of a run as Markdown.

export function markdown(heading, groups, script = 'bench') {
  const command = [`npm run ${script} --`, ...process.argv.slice(2)].join(' ');
  const parts = [`\`${command}\`, ${new Date().toISOString().slice(0, 10)}.`, ...heading];
  for (const { title, rows, words } of groups) {
    parts.push(`## ${escaped(title)}`, ...tables(rows), words.map(text => `- ${escaped(text)}`).join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}

/** A row of one cell begins a table of its own under that heading. */
function tables([heads, ...rows]) {
  const parts = [];
  let table = null;
  for (const row of rows) {
    if (row.length === 1) {
      parts.push(`### ${escaped(row[0])}`);
      table = null;
      continue;
    }
    if (!table) {
      table = [line(heads), line(heads.map((_, column) => (column === 0 ? '---' : '---:')))];
      parts.push(table);
    }
    table.push(line(heads.map((_, column) => row[column] ?? '')));
  }
  return parts.map(part => (typeof part === 'string' ? part : part.join('\n')));
}

const line = cells => `| ${cells.map(escaped).join(' | ')} |`;

const escaped = text => text.replace(/[|*_<>`]/g, character => `\\${character}`);
