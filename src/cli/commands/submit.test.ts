// Submitting one job or a batch, and waiting for it, against a fake service.
import { expect, test } from 'vitest';

import { startFakeService } from '../../client/testing/fake-service.ts';
import { job } from '../testing/answers.ts';
import { runCommand, tempFile } from '../testing/run-command.ts';

test('submit sends what its curl-like flags say', async () => {
  await using service = await startFakeService(() => ({ status: 201, body: job }));
  const flags = [
    '-X',
    'put',
    '-H',
    'X-A: b:c',
    '-d',
    '{"order":42}',
    '--key',
    'k1',
    '--delay',
    '5s',
    '--name',
    'charge',
  ];
  const more = ['--label', 'team:billing', '--max-attempts', '3', '--priority', '1', '--at-most-once'];
  const ran = await runCommand(['submit', 'https://t/x', ...flags, ...more], { url: service.url });
  expect(ran).toMatchObject({ exitCode: 0, stderr: 'Wait for it: perdure wait job_1\n' });
  expect(ran.stdout).toContain('POST https://api.example.com/charge');
  expect(service.seen[0]?.headers['idempotency-key']).toBe('k1');
  expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({
    http: { url: 'https://t/x', method: 'PUT', headers: { 'X-A': 'b:c' }, body: { order: 42 } },
    name: 'charge',
    labels: { team: 'billing' },
    delay: '5s',
    priority: 1,
    delivery: 'atMostOnce',
    retry: { maxAttempts: 3 },
  });
});

test('submit takes a file, lays flags over it, and reads text bodies from standard input', async () => {
  await using service = await startFakeService(() => ({ status: 201, body: job }));
  const file = await tempFile('job.json', JSON.stringify({ http: { url: 'https://t/x', method: 'PUT' }, name: 'old' }));
  await runCommand(['submit', '--file', file, '--name', 'new', '-d', '@-'], { url: service.url, stdin: 'plain text' });
  expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({
    http: { url: 'https://t/x', method: 'PUT', bodyText: 'plain text' },
    name: 'new',
  });
});

test.each([
  ['succeeded', 0],
  ['failed', 1],
  ['unknown', 1],
])('submit --wait on a job that ends %s exits %d', async (status, exitCode) => {
  await using service = await startFakeService(() => ({ status: 201, body: { ...job, status } }));
  const ran = await runCommand(['submit', 'https://t/x', '--wait', '--json'], { url: service.url });
  expect(ran.exitCode).toBe(exitCode);
  expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'job_1', status });
});

test('wait that ends before the job exits 1 and says how to wait on', async () => {
  await using service = await startFakeService(() => ({ body: { ...job, status: 'running' } }));
  const ran = await runCommand(['wait', 'job_1', '--limit', '10ms'], { url: service.url });
  expect(ran).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('perdure wait job_1') as string });
});

test('batch submit streams the file, shows progress on a terminal, and names a broken line', async () => {
  const counts = { total: 2, queued: 0, running: 0, retrying: 0, succeeded: 1, failed: 1, canceled: 0 };
  const batch = { id: 'bat_1', name: null, counts, createdAt: job.createdAt, finishedAt: null };
  await using service = await startFakeService(({ method }) => ({
    body: { ...batch, status: method === 'POST' ? 'running' : 'finished' },
  }));
  const file = await tempFile('items.ndjson', '{"http":{"url":"https://t/1"}}\n\n{"http":{"url":"https://t/2"}}\n');
  const ran = await runCommand(['batch', 'submit', '--file', file, '--name', 'n', '--wait'], {
    url: service.url,
    tty: true,
  });
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain('2 items sent');
  expect(ran.stderr).toContain('100% 2/2, 1 failed');
  expect(service.seen[0]?.body.trim().split('\n')).toHaveLength(2);
  expect(service.seen[0]?.query.toString()).toBe('name=n');

  const broken = await tempFile('items.ndjson', '{}\n{oops\n');
  const refused = await runCommand(['batch', 'submit', '--file', broken], { url: service.url });
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('line 2 of') as string });
});
