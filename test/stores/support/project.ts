import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Runs a script in a project of its own, whose node_modules hold this package and nothing but the given ones, each as its
 * files by name; answers with what the script prints.
 */
export function runInProject(
  script: string,
  packages: Record<string, Record<string, string>> = {},
  environment: Record<string, string> = {},
): string {
  const project = mkdtempSync(path.join(tmpdir(), 'madeleine-project-'));
  const folderOf = (name: string) => path.join(project, 'node_modules', name);
  try {
    for (const part of ['package.json', 'dist'])
      cpSync(part, path.join(folderOf('madeleine'), part), { recursive: true });
    for (const [name, files] of Object.entries(packages)) {
      mkdirSync(folderOf(name));
      for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folderOf(name), file), text);
    }
    // A file, since not every runtime evaluates a module from its command line.
    writeFileSync(path.join(project, 'package.json'), '{"type":"module"}');
    writeFileSync(path.join(project, 'script.js'), script);
    const env = { ...process.env, ...environment };
    return execFileSync(process.execPath, ['script.js'], { cwd: project, env, encoding: 'utf8', timeout: 20_000 });
  } finally {
    rmSync(project, { recursive: true });
  }
}
