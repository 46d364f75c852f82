// Commands on single things, against a fake service.
import { expect, test } from 'vitest';

import { problem, startFakeService } from '../../client/testing/fake-service.ts';
import { job } from '../testing/answers.ts';
import { runCommand } from '../testing/run-command.ts';

test('get finds what a schedule made among the runs when it is no job', async () => {
  const run = {
    id: 's-2026',
    status: 'running',
    workflow: 'order',
    version: 1,
    createdAt: job.createdAt,
    finishedAt: null,
  };
  const steps = [{ id: 'charge', status: 'succeeded', attempts: 1, output: { id: 7 }, error: null }];
  await using service = await startFakeService(({ path }) =>
    path.startsWith('/v1/jobs') ? problem(404, 'notFound') : { body: { ...run, steps } },
  );
  const ran = await runCommand(['get', 's-2026'], { url: service.url });
  expect(ran.stdout).toContain('order (version 1)');
  expect(ran.stdout).toMatch(/charge\s+succeeded\s+1\s+\{"id":7\}/);
});

test('dlq redrive by filter follows the operation to its end', async () => {
  const bulk = (status: string, done: number) => ({
    id: 'bulk_1',
    status,
    counts: { total: 2, done, skipped: 0, failed: 0 },
  });
  await using service = await startFakeService(({ method }) => ({
    body: method === 'POST' ? bulk('running', 0) : bulk('finished', 2),
  }));
  const ran = await runCommand(['dlq', 'redrive', '--host', 'a.example', '--max-per-second', '20'], {
    url: service.url,
  });
  expect(ran.exitCode).toBe(0);
  expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({
    filter: { host: ['a.example'] },
    maxPerSecond: 20,
  });
  expect(service.seen.map(({ path }) => path)).toEqual(['/v1/dead-letters/redrive', '/v1/bulk-operations/bulk_1']);
});

test('schedule put sends a schedule from its flags', async () => {
  const shown = { id: 'nightly', cron: '0 3 * * *', timezone: 'UTC', job: { http: job.http }, nextFireTimes: [] };
  await using service = await startFakeService(() => ({
    body: { ...shown, overlap: 'skip', paused: false, note: '', counts: {} },
  }));
  const flags = ['--cron', '0 3 * * *', '--timezone', 'Europe/Paris', '-d', '{"a":1}', '--pause-after-failures', '3'];
  const ran = await runCommand(['schedule', 'put', 'nightly', 'https://t/report', ...flags], { url: service.url });
  expect(ran.exitCode).toBe(0);
  expect(service.seen[0]).toMatchObject({ method: 'PUT', path: '/v1/schedules/nightly' });
  expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual({
    cron: '0 3 * * *',
    timezone: 'Europe/Paris',
    pauseAfterFailures: 3,
    job: { http: { url: 'https://t/report', body: { a: 1 } } },
  });
});

test('run signal sends its payload, workflow graph prints Mermaid', async () => {
  await using service = await startFakeService(({ method }) =>
    method === 'POST' ? { status: 202 } : { body: 'graph TD\n', headers: { 'content-type': 'text/plain' } },
  );
  expect((await runCommand(['run', 'signal', 'run_1', 'ok', '{"a":1}'], { url: service.url })).exitCode).toBe(0);
  expect(service.seen[0]).toMatchObject({ path: '/v1/runs/run_1/signals/ok', body: '{"a":1}' });
  expect((await runCommand(['workflow', 'graph', 'order'], { url: service.url })).stdout).toBe('graph TD\n');
});

test('events prints one a line and ends after --count', async () => {
  const event = {
    id: 'e1',
    type: 'job.failed',
    timestamp: job.createdAt,
    data: { id: 'job_1', status: 'failed', name: 'x' },
  };
  await using service = await startFakeService((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`id: e1\ndata: ${JSON.stringify(event)}\n\n`.repeat(3));
  });
  const ran = await runCommand(['events', '--count', '2', '--json'], { url: service.url });
  expect(
    ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([event, event]);
});

test('top draws again and again until Ctrl-C, and gives the screen back', async () => {
  let interrupt = () => {};
  await using service = await startFakeService(({ path }) => {
    if (service.seen.filter((request) => request.path === '/v1/whoami').length === 3) interrupt();
    if (path === '/v1/whoami') return { body: { subject: 'me', tenant: 'default', scopes: [], auth: 'none' } };
    return { body: { items: path === '/v1/jobs' ? [job] : [], nextCursor: null } };
  });
  const onHandler = (_signal: string, handler: () => void) => (interrupt = handler);
  const ran = await runCommand(['top', '--interval', '200ms'], { url: service.url, tty: true, onHandler });
  expect(ran.exitCode).toBe(0);
  expect(ran.stdout.split('\u001b[H').length - 1).toBeGreaterThanOrEqual(2);
  expect(ran.stdout.endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  const once = await runCommand(['top', '--once'], { url: service.url });
  expect(once.stdout).toContain('me@default');
  expect(once.stdout).toContain('running 1');
});
