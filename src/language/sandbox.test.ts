// Everything a workflow may import stays free of Node and of generated code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';

import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { evaluate, parseExpression } from './expression.ts';

const WORKFLOW_ENTRIES = ['progress.ts', 'step-program.ts', 'validate.ts', 'redrive.ts', 'graph.ts'];

test('files for workflows reach only each other, the contract and the expression library', () => {
  const reached = new Set<string>();
  const packages = new Set<string>();
  WORKFLOW_ENTRIES.forEach((file) => visit(join(import.meta.dirname, file)));
  expect([...packages]).toEqual(['@marcbachmann/cel-js']);
  expect([...reached].some((file) => file.endsWith('input-schema.ts'))).toBe(false);
  expect(readdirSync(import.meta.dirname)).toEqual(expect.arrayContaining(WORKFLOW_ENTRIES));

  function visit(file: string): void {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) .*?from '([^']+)';$/gms)) {
      if (target.startsWith('.')) visit(join(file, '..', target));
      else packages.add(target);
    }
  }
});

test('expressions mean the same in a bare JavaScript realm as in Node', async () => {
  const texts = [
    'input.n + 1',
    'input.n * 1.5',
    'bytes("hé")',
    'bytes("hé").base64() + bytes("hé").hex()',
    'string(bytes("hé"))',
    'size(bytes("hé"))',
    'timestamp("2026-01-01T00:00:00+02:00").getHours()',
    'timestamp(0) + duration("1.5s")',
    'duration("1.5s")',
    'input.map(k, k + "!")',
    '{"a": [1, null, 7u]}',
    'input.list.filter(x, x > 1).map(x, x * x)',
  ];
  const input = { n: 1, list: [1, 2, 3] };
  const here = texts.map((text) => {
    const parsed = parseExpression(text);
    return parsed.ok ? evaluate(parsed.expression, { input }) : parsed.detail;
  });
  const file = join(import.meta.dirname, 'expression.ts');
  const bundle = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'language',
  });
  const realm = createContext({ TextEncoder, TextDecoder, URL, data: JSON.stringify({ texts, input }) });
  const there: unknown = runInContext(
    `${bundle.outputFiles[0]?.text}
    const { texts, input } = JSON.parse(data);
    JSON.stringify(texts.map((text) => language.evaluate(language.parseExpression(text).expression, { input })));`,
    realm,
  );
  expect(JSON.parse(there as string)).toEqual(here);
  expect(here.slice(0, 4)).toEqual([2, 1.5, 'aMOp', 'aMOp68c3a9']);
});
