// Each code that an answer, a job or a dead letter may carry has a page under docs/errors, and each page a code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, inject, test } from 'vitest';

import { FAILURE_CODES } from '../contract/problem.ts';
import { PROBLEMS } from './problem.ts';

const root = inject('repoRoot');
const pages = readdirSync(join(root, 'docs', 'errors'))
  .filter((name) => name.endsWith('.md') && name !== 'README.md')
  .map((name) => name.slice(0, -'.md'.length));

/** What the patterns below find and no caller ever sees: zod's own word, and a fault that becomes another code. */
const INTERNAL = ['custom', 'invalidUrl'];

/** A code where an error is made, and a reason where a dead letter is. */
const PATTERNS = [
  /\bcode: ((?:'\w+'(?: \| )?)+)/g,
  /\b(?:runError|failed|failedEnd)\(\s*('\w+')/g,
  /\bfinal\('\w+', ('\w+')/g,
  /\bdraftDeadLetter\(\w+, ('\w+')/g,
  /\breason = [^;]*?('\w+');/g,
];

describe('error pages', () => {
  test('exist for every code of an answer', () => {
    expect(Object.keys(PROBLEMS).filter((code) => !pages.includes(code))).toEqual([]);
  });

  test('exist for every code of a job, a step and a dead letter', () => {
    const used = codesInSource();
    expect(used).toEqual(expect.arrayContaining(['httpStatus', 'attemptsExhausted', 'terminatedExternally']));
    expect(used.filter((code) => !pages.includes(code))).toEqual([]);
    expect(used.filter((code) => !FAILURE_CODES.includes(code))).toEqual([]);
  });

  test('say what happened, how to fix it, and what is often done wrong', () => {
    for (const code of pages) {
      const text = readFileSync(join(root, 'docs', 'errors', `${code}.md`), 'utf8');
      const headings = [...text.matchAll(/^#+ .*$/gm)].map(([heading]) => heading);
      expect(headings).toEqual([`# ${code}`, '## What happened', '## How to fix it', '## Common mistakes']);
    }
  });

  test('are all in the table of contents', () => {
    const contents = readFileSync(join(root, 'docs', 'errors', 'README.md'), 'utf8');
    expect(pages.filter((code) => !contents.includes(`[${code}](${code}.md)`))).toEqual([]);
  });
});

function codesInSource(): string[] {
  const folders = ['jobs', 'activities', 'workers', 'workflows', 'db'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/\.test(-helper)?\.ts$/.test(name))
      .map((name) => readFileSync(join(root, 'src', folder, name), 'utf8')),
  );
  const found = files.flatMap((text) =>
    PATTERNS.flatMap((pattern) => [...text.matchAll(pattern)].map(([, list]) => list)),
  );
  const codes = found.flatMap((list = '') => [...list.matchAll(/'(\w+)'/g)].map(([, code = '']) => code));
  return [...new Set(codes)].filter((code) => !INTERNAL.includes(code)).sort();
}
