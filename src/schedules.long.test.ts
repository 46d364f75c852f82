// "12:00 runs exactly once" at full size: many schedules, workers that die, a Temporal that restarts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startStack } from './stack/index.ts';
import { freePort } from './stack/ports.ts';
import { eventually } from './testing/api.ts';
import { allPages, type Fleet, startFleet } from './testing/fleet.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';

const SCHEDULES = 20;
const SECONDS = 60;

let receiver: Receiver;
let fleet: Fleet;
let dataDir: string;
let ports: { temporalPort: number; temporalUiPort: number };
let temporal: Awaited<ReturnType<typeof startTemporal>>;

function startTemporal() {
  return startStack({ dataDir, databaseUrl: 'postgres://unused', ...ports, onProgress: () => {} });
}

beforeAll(async () => {
  receiver = await startReceiver();
  dataDir = mkdtempSync(join(tmpdir(), 'perdure-long-'));
  ports = { temporalPort: await freePort(), temporalUiPort: await freePort() };
  temporal = await startTemporal();
  fleet = await startFleet({ temporalAddress: temporal.temporalAddress });
});
afterAll(async () => {
  await fleet.stop();
  await temporal.stop();
  await receiver.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

test('20 schedules every second for 60 s, workers killed, Temporal restarted: each nominal time once', async () => {
  const { api } = fleet;
  for (let n = 0; n < 3; n++) await fleet.startWorker();
  const startAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 10_000);
  const endAt = new Date(startAt.getTime() + (SECONDS - 1) * 1_000);
  for (let n = 0; n < SCHEDULES; n++) {
    const { status } = await api.put(`/v1/schedules/every-${n}`, {
      every: '1s',
      startAt: startAt.toISOString(),
      endAt: endAt.toISOString(),
      overlap: 'allowAll',
      job: { http: { method: 'POST', url: `${receiver.url}/tick/${n}` } },
    });
    expect(status).toBe(201);
  }
  let killed = 0;
  for (let second = 10; second <= SECONDS + 10; second += 10) {
    await eventually(() => Date.now() >= startAt.getTime() - 10_000 + second * 1_000, { timeoutMs: 30_000 });
    await fleet.workers.shift()?.end('SIGKILL');
    killed++;
    await fleet.startWorker();
    if (second === 40) {
      await temporal.stop();
      temporal = await startTemporal();
    }
  }
  const ticksOf = async (n: number) =>
    allPages(
      api,
      `/v1/schedules/every-${n}/ticks?from=${startAt.toISOString()}&to=${new Date(endAt.getTime() + 1).toISOString()}`,
    );
  const settledAt = Date.now();
  const jobs = await eventually(
    async () => {
      const ticks = (await Promise.all(Array.from({ length: SCHEDULES }, (_, n) => ticksOf(n)))).flat();
      if (ticks.length < SCHEDULES * SECONDS) return null;
      const all = (await allPages(api, '/v1/jobs')).filter(({ scheduleId }) => scheduleId !== null);
      return all.every(({ finishedAt }) => finishedAt !== null) && { ticks, all };
    },
    { timeoutMs: 180_000, what: 'every nominal time has its row, and every job is final' },
  );
  const { ticks, all } = jobs;
  const outcomes: Record<string, number> = {};
  for (const { outcome } of ticks) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const keys = new Map<string, number>();
  for (const { headers } of receiver.received.filter(({ path }) => path.startsWith('/tick/'))) {
    const key = String(headers['idempotency-key']);
    keys.set(key, (keys.get(key) ?? 0) + 1);
  }
  const repeated = [...keys.values()].filter((times) => times > 1).length;
  const lateness = ticks.map(({ latenessMs }) => latenessMs ?? 0).sort((a, b) => a - b);
  console.log({
    rows: ticks.length,
    outcomes,
    jobs: all.length,
    distinctKeys: keys.size,
    repeatedKeys: repeated,
    killed,
    latenessP50: lateness[Math.floor(lateness.length / 2)],
    latenessMax: lateness.at(-1),
    settledAfterMs: Date.now() - settledAt,
  });
  expect(ticks).toHaveLength(SCHEDULES * SECONDS);
  expect(new Set(ticks.map(({ nominalTime, jobId }) => `${nominalTime} ${jobId}`)).size).toBe(SCHEDULES * SECONDS);
  expect(outcomes.missed ?? 0).toBe(0);
  expect(all).toHaveLength(SCHEDULES * SECONDS);
  expect(keys.size).toBe(SCHEDULES * SECONDS);
}, 400_000);

test('100 schedules in the same second: lateness p99 at most 5 s, none missed', async () => {
  const { api } = fleet;
  if (fleet.workers.length === 0) await fleet.startWorker();
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 25_000);
  const schedule = (n: number) =>
    api.put(`/v1/schedules/burst-${n}`, {
      at: at.toISOString(),
      job: { http: { method: 'POST', url: `${receiver.url}/burst/${n}` } },
    });
  for (let n = 0; n < 100; n += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, more) => schedule(n + more)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  }
  const ticks = await eventually(
    async () => {
      const rows = await Promise.all(
        Array.from({ length: 100 }, async (_, n) => (await api.get(`/v1/schedules/burst-${n}/ticks`)).body.items[0]),
      );
      return rows.every((row) => row?.jobId) && rows;
    },
    { timeoutMs: 90_000, what: '100 ticks' },
  );
  const lateness = ticks.map(({ latenessMs }) => latenessMs).sort((a: number, b: number) => a - b);
  console.log({ p50: lateness[50], p99: lateness[98], max: lateness[99] });
  expect(ticks.filter(({ outcome }) => outcome === 'missed')).toEqual([]);
  expect(lateness[98]).toBeLessThanOrEqual(5_000);
}, 200_000);
