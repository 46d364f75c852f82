// The package as others get it: what is in it, and that its libraries load and compile everywhere without dependencies.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';

import { pack, type Packed, runCommand, runOrThrow, unpackInto } from './testing/pack.ts';

// Compilers on a busy machine.
vi.setConfig({ testTimeout: 180_000 });

const repoRoot = inject('repoRoot');
const bin = (name: string) => join(repoRoot, 'node_modules', '.bin', name);
let packed: Packed;
let project: string;

beforeAll(async () => {
  packed = await pack(repoRoot);
  project = await mkdtemp(join(tmpdir(), 'perdure-project-'));
  await unpackInto(project, packed.tarball);
});
afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

test('it holds the build, the migrations and the papers, and nothing else', () => {
  const tops = new Set(packed.files.map((path) => path.split('/')[0]));
  expect([...tops].sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json', 'src']);
  expect(packed.files.filter((path) => path.startsWith('src/') && !path.endsWith('.sql'))).toEqual([]);
  expect(packed.files.filter((path) => /\.test\.|\.env|\.perdure/.test(path))).toEqual([]);
});

test.each([
  ['publint', ['--strict']],
  ['attw', ['--profile', 'node16', '--format', 'ascii']],
])('%s finds nothing', async (tool, args) => {
  const { code, stdout, stderr } = await runCommand(bin(tool), [packed.tarball, ...args], { cwd: project });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
});

test.each(['client', 'temporal'])(
  '%s imports nothing: it runs in browsers, edge runtimes and workflows',
  async (name) => {
    for (const file of [`${name}.js`, `${name}.cjs`]) {
      const text = await readFile(join(project, 'node_modules', 'perdure', 'dist', file), 'utf8');
      expect(text.match(/^(?:import|export)\b.*\bfrom\b.*|\brequire\(.*|\bimport\(.*/gm) ?? []).toEqual([]);
      expect(text.match(/\b(?:process|Buffer|__dirname|setImmediate)\b\s*[.(]/g) ?? []).toEqual([]);
    }
  },
);

test('both load as ES modules and as CommonJS', async () => {
  const names = 'console.log(typeof c.Perdure, typeof c.verifyWebhook, t.jobWorkflow.name, t.DEFAULT_TASK_QUEUE)';
  const expected = 'function function jobWorkflow perdure\n';
  await writeFile(
    join(project, 'a.cjs'),
    `const c = require('perdure/client'), t = require('perdure/temporal'); ${names}`,
  );
  await writeFile(
    join(project, 'a.mjs'),
    `import * as c from 'perdure/client'; import * as t from 'perdure/temporal'; ${names}`,
  );
  expect(await runOrThrow(process.execPath, ['a.cjs'], { cwd: project })).toBe(expected);
  expect(await runOrThrow(process.execPath, ['a.mjs'], { cwd: project })).toBe(expected);
});

const PROGRAM = `
import { Perdure, workflow, type Job } from 'perdure/client';
import { jobWorkflow } from 'perdure/temporal';
const perdure = new Perdure({ baseUrl: 'http://127.0.0.1:8080' });
export const job: Promise<Job> = perdure.jobs.submit({ http: { url: 'http://127.0.0.1/' } }, { wait: true });
export const flow = workflow('two').step('one', { http: { url: 'http://127.0.0.1/' } });
export const start = jobWorkflow({ http: { url: 'http://127.0.0.1/' } }, { workflowId: 'a' });
// @ts-expect-error -- it is called url
void perdure.jobs.submit({ http: { uri: 'http://127.0.0.1/' } });
// @ts-expect-error -- no step of this name
export const wrong = flow.step('two', { dependsOn: ['three'], wait: { for: '1s' } });
`;

test.each([
  ['ES modules and CommonJS', ['program.mts', 'program.cts'], ['--module', 'nodenext']],
  ['bundlers', ['program.ts'], ['--module', 'esnext', '--moduleResolution', 'bundler']],
])('its types compile for %s, and a mistake does not', async (_name, files, options) => {
  for (const file of files) await writeFile(join(project, file), PROGRAM);
  const strict = ['--strict', '--target', 'es2022', '--lib', 'es2022,dom,esnext.disposable', '--skipLibCheck', 'false'];
  const args = [...files, '--noEmit', '--ignoreConfig', ...strict, ...options];
  const { code, stdout } = await runCommand(bin('tsc'), args, { cwd: project });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
});
