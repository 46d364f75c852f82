// Writes grafana/dashboards/*.json; with --check, fails when the committed files differ. Run it as `npm run dashboards`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { dashboards } from './index.ts';

const folder = join(process.cwd(), 'grafana', 'dashboards');
mkdirSync(folder, { recursive: true });
const prettier = (await resolveConfig(join(folder, 'any.json'))) ?? {};
const wanted = new Map<string, string>();
for (const dashboard of dashboards) {
  wanted.set(`${dashboard.uid}.json`, await format(JSON.stringify(dashboard), { ...prettier, parser: 'json' }));
}

if (process.argv.includes('--check')) {
  const committed = readdirSync(folder);
  const stale = [...wanted].filter(
    ([name, text]) => !committed.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
  );
  const foreign = committed.filter((name) => !wanted.has(name));
  if (stale.length > 0 || foreign.length > 0) {
    const names = [...stale.map(([name]) => name), ...foreign].join(', ');
    process.stderr.write(`grafana/dashboards is not what grafana/src makes (${names}). Run: npm run dashboards\n`);
    process.exit(1);
  }
} else {
  for (const [name, text] of wanted) writeFileSync(join(folder, name), text);
}
