// Makes the database of the embedded PostgreSQL, and remembers what the next start must know.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Account, PostgresPlace } from './postgres-place.ts';

export const USER = 'perdure';

export interface PostgresMemory {
  password: string;
  /** The port of the last start: taken again if it is free, so that saved connections keep working. */
  port: number | null;
}

const INITDB_TIMEOUT_MS = 120_000;

/** Made aside and renamed, so that a kill in the middle never leaves half a database. */
export async function initialisePostgres(dataDir: string, place: PostgresPlace, durable: boolean): Promise<void> {
  const { home, account, initdb } = place;
  const draft = join(home, 'data.draft');
  const passwordFile = join(home, 'password.draft');
  fs.rmSync(draft, { recursive: true, force: true });
  fs.rmSync(passwordFile, { force: true });
  const password = randomBytes(24).toString('base64url');
  writeNew(passwordFile, password, account);
  // The builtin locale sorts by code point and is the same on every machine, whatever locales are installed.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${USER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  const args = ['-D', draft, ...access, ...locale, ...(durable ? [] : ['--no-sync'])];
  try {
    await promisify(execFile)(initdb, args, {
      ...account,
      cwd: '/',
      timeout: INITDB_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`The PostgreSQL database could not be made: ${stderr.trim().replaceAll('\n', ' | ') || message}`);
  } finally {
    fs.rmSync(passwordFile, { force: true });
  }
  writeMemory(dataDir, { password, port: null });
  fs.renameSync(draft, join(home, 'data'));
}

export function readMemory(dataDir: string): PostgresMemory {
  const file = memoryFile(dataDir);
  try {
    const { password, port } = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<PostgresMemory>;
    if (typeof password !== 'string') throw new Error('it holds no password');
    return { password, port: typeof port === 'number' ? port : null };
  } catch (error) {
    throw new Error(`${file}, which holds the password of the database, cannot be read: ${(error as Error).message}`);
  }
}

export function writeMemory(dataDir: string, memory: PostgresMemory): void {
  const file = memoryFile(dataDir);
  fs.writeFileSync(`${file}.draft`, `${JSON.stringify(memory)}\n`, { mode: 0o600, flush: true });
  fs.renameSync(`${file}.draft`, file);
}

/** In the data folder itself: as root we write nothing by name into the home, which another account may rearrange. */
function memoryFile(dataDir: string): string {
  return join(dataDir, 'postgres.json');
}

/** Exclusive, and owned through the open file: a link planted under that name is never followed. */
function writeNew(file: string, content: string, account: Account | null): void {
  const descriptor = fs.openSync(file, 'wx', 0o600);
  try {
    if (account !== null) fs.fchownSync(descriptor, account.uid, account.gid);
    fs.writeSync(descriptor, content);
  } finally {
    fs.closeSync(descriptor);
  }
}
