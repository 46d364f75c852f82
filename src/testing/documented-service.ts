// The service that the pages and the examples speak to: `npm start` itself, on the servers of the tests.
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inject } from 'vitest';

import { eventually } from './api.ts';
import { createTestDatabase } from './database.ts';

export interface DocumentedService {
  url: string;
  /** What it printed until it was ready. */
  output: string;
  /** For programs that speak to it. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

export async function startDocumentedService(): Promise<DocumentedService> {
  const repoRoot = inject('repoRoot');
  const database = await createTestDatabase(inject('databaseUrl'), repoRoot);
  const temporal = { TEMPORAL_ADDRESS: inject('temporalAddress'), PERDURE_TASK_QUEUE: `docs-${randomUUID()}` };
  // As the embedded stack has it, that a reader starts.
  const embedded = { PERDURE_EGRESS: 'any', PERDURE_MASTER_KEY: randomBytes(32).toString('base64') };
  // Without prestart, which installs and builds: under running tests nothing may be exchanged.
  const child = spawn('npm', ['start', '--ignore-scripts'], {
    cwd: repoRoot,
    env: {
      ...process.env,
      PORT: '0',
      DATABASE_URL: database.databaseUrl,
      LOG_LEVEL: 'error',
      ...temporal,
      ...embedded,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');
  await eventually(() => /Stop with Ctrl-C/.test(output) || child.exitCode !== null, {
    timeoutMs: 120_000,
    what: 'npm start',
  });
  const url = /API +(http:\/\/\S+)\/v1/.exec(output)?.[1];
  if (!url) throw new Error(`npm start did not become ready:\n${output}`);
  return {
    url,
    output,
    env: { ...temporal, PERDURE_URL: url },
    async stop() {
      child.kill('SIGTERM');
      await closed;
      await database.drop();
    },
  };
}

/** A project that has installed the package, and what our own pages import beside it. */
export async function createProject(repoRoot: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-reader-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(repoRoot, join(modules, 'perdure'));
  for (const scope of ['@temporalio', '@types']) {
    await symlink(join(repoRoot, 'node_modules', scope), join(modules, scope));
  }
  const command = join(modules, '.bin', 'perdure');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(repoRoot, 'dist', 'cli.js')}" "$@"\n`);
  await chmod(command, 0o755);
  await writeFile(join(folder, 'package.json'), '{ "name": "reader", "private": true, "type": "module" }');
  return folder;
}
