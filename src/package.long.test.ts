// The package installed with its dependencies into an empty project: a job through the SDK, and through the command line.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';

import { startInstance } from './testing/instance.ts';
import { pack, runCommand, runOrThrow } from './testing/pack.ts';
import { startReceiver } from './testing/receiver.ts';

test('installed into an empty project it submits a job and awaits it, from code and from the command line', async () => {
  const [instance, receiver, { tarball }] = await Promise.all([
    startInstance(),
    startReceiver(),
    pack(inject('repoRoot')),
  ]);
  const cwd = await mkdtemp(join(tmpdir(), 'perdure-installed-'));
  try {
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ name: 'empty', private: true }));
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await runOrThrow('npm', ['install', tarball, ...quiet], { cwd });

    const use = `async (Perdure) => {
      const perdure = new Perdure({ baseUrl: ${JSON.stringify(instance.url)} });
      const job = await perdure.jobs.submit({ http: { url: ${JSON.stringify(`${receiver.url}/sdk`)} } }, { wait: '20s' });
      console.log(job.status);
    }`;
    await writeFile(join(cwd, 'a.cjs'), `void (${use})(require('perdure/client').Perdure);`);
    await writeFile(join(cwd, 'a.mjs'), `import { Perdure } from 'perdure/client'; await (${use})(Perdure);`);
    expect(await runOrThrow(process.execPath, ['a.cjs'], { cwd })).toBe('succeeded\n');
    expect(await runOrThrow(process.execPath, ['a.mjs'], { cwd })).toBe('succeeded\n');
    expect(receiver.at('/sdk')).toHaveLength(2);

    const env = { PERDURE_URL: instance.url };
    const perdure = (...args: string[]) => runCommand('npx', ['--no', 'perdure', ...args], { cwd, env });
    expect(await perdure('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    const submitted = await perdure('submit', `${receiver.url}/cli`, '-d', '{"order":42}', '--wait', '--json');
    expect(submitted.code, submitted.stderr).toBe(0);
    expect(JSON.parse(submitted.stdout)).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(receiver.at('/cli')[0]?.body).toBe('{"order":42}');

    // The service itself starts from there too: it finds its migrations and its workflows beside it.
    const database = { DATABASE_URL: instance.databaseUrl, TEMPORAL_ADDRESS: inject('temporalAddress') };
    const migrated = await runCommand('npx', ['--no', 'perdure', 'migrate'], { cwd, env: database });
    expect(migrated.code, migrated.stderr).toBe(0);
  } finally {
    await instance.stop();
    await receiver.stop();
    await rm(cwd, { recursive: true, force: true });
  }
}, 180_000);
