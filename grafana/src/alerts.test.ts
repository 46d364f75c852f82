// Every alert has its page, every page its alert, and the queries that the pages tell people to run do run.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';

import { createTestDatabase } from '../../src/testing/database.ts';

const root = inject('repoRoot');
const folder = join(root, 'docs', 'runbooks');
const { groups } = parse(readFileSync(join(root, 'grafana', 'alerts', 'perdure.yml'), 'utf8')) as {
  groups: { rules: { alert: string; annotations: Record<string, string>; labels: Record<string, string> }[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const pages = readdirSync(folder).filter((name) => name !== 'README.md');

test('every alert links its runbook, and there is no other', () => {
  expect(alerts.map(({ alert }) => `${alert}.md`).sort()).toEqual(pages.sort());
  for (const { alert, annotations } of alerts) expect(annotations.runbook).toBe(`docs/runbooks/${alert}.md`);
});

test('every alert says what is wrong and how bad it is', () => {
  for (const { alert, annotations, labels } of alerts) {
    expect(annotations.summary, alert).toBeTruthy();
    expect(annotations.description, alert).toBeTruthy();
    expect(['critical', 'warning']).toContain(labels.severity);
  }
});

test('every runbook says what it means, what to look at first and how to mend it', () => {
  for (const page of pages) {
    const text = readFileSync(join(folder, page), 'utf8');
    expect(text, page).toMatch(new RegExp(`^# ${page.slice(0, -3)}\n\n\\*\\*What it means\\.\\*\\*`));
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(['Look first', 'Mend']);
  }
});

test('the overview lists them all with their severity', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const { alert, labels } of alerts) {
    expect(readme).toMatch(new RegExp(`\\[${alert}\\]\\(${alert}\\.md\\) +\\| ${labels.severity} `));
  }
});

test('the SQL of the runbooks fits the schema', async () => {
  const database = await createTestDatabase(inject('databaseUrl'), root);
  const client = new pg.Client({ connectionString: database.databaseUrl });
  await client.connect();
  try {
    const statements = pages.flatMap((page) => {
      const blocks = readFileSync(join(folder, page), 'utf8').matchAll(/```sql\n([\s\S]*?)```/g);
      return [...blocks].flatMap(([, sql = '']) => sql.split(';').filter((text) => text.trim() !== ''));
    });
    expect(statements.length).toBeGreaterThan(5);
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
    await database.drop();
  }
});
