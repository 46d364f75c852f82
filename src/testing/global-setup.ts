// One PostgreSQL and one Temporal server for all test files, on free ports, gone when the run is over.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { TestProject } from 'vitest/node';

import { type Stack, startStack } from '../stack/index.ts';
import { isAbandoned } from '../stack/lock.ts';
import { findServers } from '../stack/orphans.ts';
import { freePort } from '../stack/ports.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** As an administrator: may create databases. */
    databaseUrl: string;
    temporalAddress: string;
    temporalUiUrl: string | null;
    repoRoot: string;
  }
}

const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PREFIX = 'perdure-test-';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildWhenStale();
  sweep();
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX));
  // As root, PostgreSQL runs as another account, who must be able to pass through.
  chmodSync(dataDir, 0o711);
  process.env.TMPDIR = scratchIn(dataDir);
  // Vitest ends at once, without a teardown, when it gets a SIGTERM or SIGINT: only what is synchronous still happens.
  const onExit = () => destroy(dataDir);
  process.once('exit', onExit);
  const stack = await startTestStack(dataDir);
  project.provide('databaseUrl', stack.databaseUrl);
  project.provide('temporalAddress', stack.temporalAddress);
  project.provide('temporalUiUrl', stack.temporalUiUrl);
  project.provide('repoRoot', repoRoot);
  return async () => {
    await stack.stop();
    process.off('exit', onExit);
    destroy(dataDir);
  };
}

/** Where the test files, which inherit the name, put what they would have to clear away. */
function scratchIn(dataDir: string): string {
  const scratch = join(dataDir, 'tmp');
  mkdirSync(scratch);
  chmodSync(scratch, 0o711);
  return scratch;
}

/** A port that was free may be taken by the time the server asks for it: then others are tried. */
async function startTestStack(dataDir: string, tries = 3): Promise<Stack> {
  return startOnce(dataDir).catch((error: unknown) => {
    if (tries === 1) throw error;
    console.log(`The servers did not start, trying again: ${String(error)}`);
    return startTestStack(dataDir, tries - 1);
  });
}

async function startOnce(dataDir: string): Promise<Stack> {
  return startStack({
    dataDir,
    databaseUrl: process.env.DATABASE_URL || undefined,
    temporalAddress: process.env.TEMPORAL_ADDRESS || undefined,
    temporalCliPath: process.env.PERDURE_TEMPORAL_CLI || undefined,
    temporalPort: await freePort(),
    temporalUiPort: await freePort(),
    // The data is thrown away in any case, and fsync is most of what a database per test file costs.
    durable: false,
    onProgress: (line) => console.log(line),
  });
}

/** A failed build leaves no bundle behind: the tests that need it fail, all others still say what they have to say. */
function buildWhenStale(): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', '--if-stale'], {
    cwd: repoRoot,
    stdio: 'inherit',
  });
  if (status !== 0) console.error('The build failed (see above): tests that need dist/ will fail.');
}

/** What runs that were ended by SIGKILL left behind. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const dataDir = join(tmpdir(), name);
    if (name.startsWith(PREFIX) && isAbandoned(dataDir)) destroy(dataDir);
  }
}

function destroy(dataDir: string): void {
  for (const server of findServers(dataDir)) kill(server.pid);
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // Else it ended in this very moment.
  }
}
