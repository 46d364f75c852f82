// The package as it is published, and the commands that are run on it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Packed {
  tarball: string;
  /** Paths in the package. */
  files: string[];
}

export async function runCommand(
  command: string,
  args: string[],
  { cwd, env }: { cwd: string; env?: Record<string, string> },
): Promise<Ran> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** A command that must succeed: what it printed. */
export async function runOrThrow(...[command, args, options]: Parameters<typeof runCommand>): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return stdout;
}

export async function pack(repoRoot: string): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-pack-'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(await runOrThrow('npm', args, { cwd: repoRoot })) as {
    filename: string;
    files: { path: string }[];
  }[];
  if (!packed) throw new Error('npm pack made nothing');
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** As if installed, but without its dependencies: all that who imports the libraries needs. */
export async function unpackInto(project: string, tarball: string): Promise<void> {
  const folder = join(project, 'node_modules', 'perdure');
  await mkdir(folder, { recursive: true });
  await runOrThrow('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'], { cwd: project });
}
