// Everything that is the same for all commands: exit codes, next steps, tables, profiles, help.
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { problem, startFakeService } from '../client/testing/fake-service.ts';
import { commands } from './commands.ts';
import { job } from './testing/answers.ts';
import { runCommand } from './testing/run-command.ts';

test('what is refused exits 3, at fault 4, not reachable 4, and says the next step', async () => {
  await using refusing = await startFakeService(() =>
    problem(422, 'invalidBody', { errors: [{ pointer: '/http/url', detail: 'no URL' }] }),
  );
  const refused = await runCommand(['submit', 'nonsense'], { url: refusing.url });
  expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
  expect(refused.stderr).toContain('(422 invalidBody)\n  /http/url: no URL\n  request req_1\n');

  await using locked = await startFakeService(() => problem(401, 'unauthenticated'));
  expect((await runCommand(['list'], { url: locked.url })).stderr).toContain('perdure login');

  await using broken = await startFakeService(() => problem(500, 'internal'));
  expect((await runCommand(['list'], { url: broken.url })).exitCode).toBe(4);

  const away = await runCommand(['list', '--url', 'http://127.0.0.1:1']);
  expect(away).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('perdure start') as string });
});

test.each([
  [['nonsense']],
  [['dlq']],
  [['dlq', 'nonsense']],
  [['submit']],
  [['get']],
  [['get', 'a', 'b']],
  [['list', '--nonsense']],
  [['list', '--limit', '0']],
  [['wait', 'job_1', '--limit', '5']],
  [['submit', 'https://t/x', '--label', 'nocolon']],
  [['submit', '--file', '/does/not/exist.json']],
  [['list', '--url', 'ftp://x']],
  [['list', '--profile', 'nobody']],
  [['dlq', 'redrive']],
  [['dlq', 'redrive', 'dl_1', '--all']],
  [['schedule', 'put', 'x', '--cron', '* * * * *']],
  [['schedule', 'preview']],
  [['completion', 'tcsh']],
])('%j is wrong usage: exit 2, with a next step on stderr', async (argv) => {
  const ran = await runCommand(argv);
  expect(ran).toMatchObject({ exitCode: 2, stdout: '' });
  expect(ran.stderr).toMatch(/perdure /);
});

test('list prints a table, colours on a terminal only, and lets no name steer the terminal', async () => {
  const nasty = { ...job, status: 'failed', name: 'evil\u001b[2J\nname' };
  await using service = await startFakeService(() => ({ body: { items: [nasty], nextCursor: null } }));
  const plain = await runCommand(['list', '--status', 'failed', '--label', 'a:b'], { url: service.url });
  expect(plain.stdout.split('\n')).toHaveLength(3);
  expect(plain.stdout).not.toContain('\u001b');
  expect(service.seen[0]?.query.toString()).toBe('status=failed&label=a%3Ab&limit=50');
  const colored = await runCommand(['list'], { url: service.url, tty: true });
  expect(colored.stdout).toContain('\u001b[31mfailed');
  expect(colored.stdout).not.toContain('\u001b[2J');
  const noColor = await runCommand(['list'], { url: service.url, tty: true, env: { noColor: true } });
  expect(noColor.stdout).toBe(plain.stdout);
  expect(JSON.parse((await runCommand(['list', '--json'], { url: service.url })).stdout)).toEqual([nasty]);
});

test('login keeps a profile only its owner can read; its token goes to its own service only', async () => {
  const identity = { subject: 'me', tenant: 'default', scopes: ['read'], auth: 'apikey' };
  const reply = ({ path }: { path: string }) => ({
    body: path === '/v1/whoami' ? identity : { items: [], nextCursor: null },
  });
  await using mine = await startFakeService(reply);
  await using other = await startFakeService(reply);
  const configFile = join(await mkdtemp(join(tmpdir(), 'perdure-cli-')), 'perdure', 'config.json');
  const env = { configFile };

  const login = ['login', 'prod', '--url', mine.url, '--token-stdin'];
  expect((await runCommand(login, { env, stdin: 'secret\n' })).exitCode).toBe(0);
  expect((await stat(configFile)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(configFile, 'utf8'))).toEqual({
    current: 'prod',
    profiles: { prod: { url: mine.url, token: 'secret' } },
  });

  await runCommand(['list'], { env });
  expect(mine.seen.at(-1)?.headers.authorization).toBe('Bearer secret');
  await runCommand(['list', '--url', other.url], { env });
  expect(other.seen.at(-1)?.headers.authorization).toBeUndefined();
  expect((await runCommand(['profile', 'list'], { env })).stdout).toMatch(/\*\s+prod .* yes/);
  expect((await runCommand(['profile', 'list'], { env })).stdout).not.toContain('secret');
  expect((await runCommand(['profile', 'remove', 'prod'], { env })).exitCode).toBe(0);
  expect(JSON.parse(await readFile(configFile, 'utf8'))).toEqual({ current: null, profiles: {} });
});

test('help and completions name every command', async () => {
  const help = (await runCommand(['help'])).stdout;
  expect(await runCommand([])).toEqual({ exitCode: 0, stdout: help, stderr: '' });
  const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => runCommand(['completion', shell])));
  for (const { name } of commands) {
    expect(help).toContain(`  ${name}`);
    expect((await runCommand([...name.split(' '), '--help'])).stdout).toContain(`Usage: perdure ${name}`);
    for (const { stdout } of scripts) expect(stdout).toContain(name.split(' ').at(-1));
  }
});

test('--version says which build this is', async () => {
  const { default: packageJson } = await import('../../package.json', { with: { type: 'json' } });
  expect(await runCommand(['--version'])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: '' });
});
