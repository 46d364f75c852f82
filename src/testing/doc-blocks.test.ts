// The runner of the pages' blocks: it must notice what it is there for.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { matches, planBlocks, readBlocks, runBlock } from './doc-blocks.ts';

const fence = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\`\n`;
const surroundings = async () => ({
  folder: await mkdtemp(join(tmpdir(), 'perdure-blocks-')),
  address: '127.0.0.1:9999',
  env: {},
});

test('a block that is neither run nor an output nor excused is noticed', () => {
  expect(() => planBlocks(readBlocks(fence('yaml', 'a: 1')))).toThrow('line 1');
  expect(() => planBlocks(readBlocks(fence('json', '{}')))).toThrow('line 1');
  expect(() => planBlocks(readBlocks(fence('sh', 'ls') + fence('text', 'a') + fence('text', 'b')))).toThrow('line 7');
  expect(planBlocks(readBlocks(`<!-- not run: needs a cluster -->\n\n${fence('yaml', 'a: 1')}`))).toEqual([]);
});

test('… stands for any text, all else must be as printed', () => {
  expect(matches('job_1 succeeded\n  in 5 ms\n', 'job_… succeeded in … ms')).toBe(true);
  expect(matches('job_1 failed', 'job_… succeeded')).toBe(false);
  expect(matches('job_1 succeeded twice', 'job_… succeeded')).toBe(false);
});

test('blocks share a folder, speak to the running service, and a failure or another output is an error', async () => {
  const where = await surroundings();
  const page = readBlocks(
    fence('sh', 'echo http://127.0.0.1:8080 > a') + fence('ts', TS) + fence('text', 'http://…:8080'),
  );
  for (const { block, expected } of planBlocks(page)) await runBlock(block, expected, where);
  const [failing, lying] = readBlocks(fence('sh', 'false | cat') + fence('sh', 'echo a'));
  if (!failing || !lying) throw new Error('two blocks expected');
  await expect(runBlock(failing, null, where)).rejects.toThrow('line 1 ended with 1');
  await expect(runBlock(lying, 'b', where)).rejects.toThrow('instead of');
});

const TS = `import { readFileSync } from 'node:fs';
const text: string = readFileSync('a', 'utf8');
console.log(text.replace('9999', '8080'));`;
