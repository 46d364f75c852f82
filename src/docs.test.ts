// Every code block of the README, the cookbook and the examples, run as a reader would run it, against `npm start`.
import { readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { matches, planBlocks, readPage, runBlock } from './testing/doc-blocks.ts';
import { createProject, type DocumentedService, startDocumentedService } from './testing/documented-service.ts';
import { runCommand } from './testing/pack.ts';

const repoRoot = inject('repoRoot');
const cookbook = join(repoRoot, 'docs', 'cookbook');
const pages = [
  join(repoRoot, 'README.md'),
  join(repoRoot, 'examples', 'README.md'),
  ...readdirSync(cookbook)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(cookbook, name)),
];
const start = 'npm start';
let service: DocumentedService;
let folder: string;

beforeAll(async () => {
  folder = await createProject(repoRoot);
  service = await startDocumentedService();
}, 180_000);
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(pages.map((page) => [relative(repoRoot, page), page]))('%s', (_name, page) => {
  test('every block does what the page says', async () => {
    const address = new URL(service.url).host;
    // A home of its own: no profile of whoever runs the tests may decide where the command line goes.
    const env = { ...service.env, HOME: folder, NO_COLOR: '1' };
    for (const { block, expected } of planBlocks(await readPage(page))) {
      if (block.text.trim() === start) {
        expect(matches(service.output.replaceAll(address, '127.0.0.1:8080'), expected ?? '…'), service.output).toBe(
          true,
        );
      } else {
        await runBlock(block, expected, { folder: page.includes('examples') ? repoRoot : folder, address, env });
      }
    }
  }, 240_000);
});

test('the TypeScript of all pages compiles', async () => {
  const files: string[] = [];
  for (const page of pages) {
    for (const { language, line, text } of await readPage(page)) {
      if (language !== 'ts') continue;
      const file = `${basename(page, '.md')}-${line}.mts`;
      await writeFile(join(folder, file), text);
      files.push(file);
    }
  }
  const options = ['--noEmit', '--ignoreConfig', '--strict', '--noUncheckedIndexedAccess', '--skipLibCheck'];
  const target = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--module', 'nodenext', '--types', 'node'];
  const { stdout } = await runCommand(
    join(repoRoot, 'node_modules', '.bin', 'tsc'),
    [...files, ...options, ...target],
    { cwd: folder },
  );
  expect(stdout).toBe('');
}, 240_000);
