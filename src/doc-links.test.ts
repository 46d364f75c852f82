// Every link between our own pages leads somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pages = ['docs', 'examples']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  )
  .filter((path) => path.endsWith('.md'))
  .concat(join(root, 'README.md'));

test.each(pages.map((page) => [relative(root, page), page]))('%s links to files that exist', (_name, page) => {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const ours = links.filter((link) => !/^(https?:|mailto:|#|\/)/.test(link));
  const broken = ours.filter((link) => !existsSync(join(dirname(page), link.replace(/#.*$/, ''))));
  expect(broken).toEqual([]);
});

test('the README stays within 150 lines', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});
