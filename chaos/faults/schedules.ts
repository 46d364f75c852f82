// Schedules that are told to run now, that overlap themselves, and that others spoil in Temporal.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@temporalio/client';

import type { Job, Overlap, Tick } from '../../src/client/types.ts';
import { OVERLAPS } from '../../src/contract/schedule.ts';
import { freePort } from '../../src/stack/ports.ts';
import { eventually } from '../../src/testing/api.ts';
import type { Fault, Scene } from '../fault.ts';
import {
  allRows,
  eachOf,
  expectJob,
  jobIdOf,
  nominalText,
  ownSends,
  putSchedule,
  RAN,
  ticksOf,
  timesFrom,
  wrongRows,
} from '../schedules.ts';
import { withTemporal } from './workflows.ts';

const TRIGGERED = 20;
const TRIGGERS = 5;
const OVERLAPPING = {
  short: { each: 2, everyMs: 1_000, fires: 6, slowMs: 2_500 },
  full: { each: 20, everyMs: 3_000, fires: 6, slowMs: 7_000 },
};
const SPOILED = 10;
const SPOILED_FOR = {
  short: { intervalsS: [2, 4, 5], horizonMs: 16_000 },
  full: { intervalsS: [2, 20, 60], horizonMs: 190_000 },
};
const LEAD_MS = 5_000;
const REPAIRED_WITHIN_MS = 60_000;

export const SCHEDULE_FAULTS: Fault[] = [
  {
    id: 'F25',
    company: 'patient',
    title: 'Schedules whose runs take longer than their interval, with each policy',
    jobs: { short: 0, full: 0 },
    async disturb(scene) {
      const { each, everyMs, fires, slowMs } = OVERLAPPING[scene.isShort ? 'short' : 'full'];
      const startMs = Math.ceil((Date.now() + LEAD_MS) / everyMs) * everyMs;
      const nominal = timesFrom(startMs, everyMs, fires);
      const bounds = { startAt: nominalText(startMs), endAt: nominalText(nominal.at(-1) ?? 0) };
      const policyOf = (n: number): Overlap => OVERLAPS[n % OVERLAPS.length] ?? 'skip';
      const times = new Map<string, number[]>();
      await eachOf(each * OVERLAPS.length, async (n) => {
        const id = `F25x${policyOf(n)}x${n}`;
        await putSchedule(scene, id, { every: `${everyMs}ms`, ...bounds, overlap: policyOf(n) }, { slowMs });
        times.set(id, nominal);
      });
      const rows = await allRows(scene, times);
      for (const [id, ticks] of rows) {
        for (const { jobId } of ticks) if (jobId) await expectJob(scene, jobId, { slowMs });
        const outcomes = [...RAN, ...(/skip|bufferOne/.test(id) ? ['skippedOverlap'] : [])];
        for (const wrong of wrongRows(ticks, nominal, outcomes)) scene.complain(`${id}: ${wrong}`);
      }
      tally(scene, rows);
    },
    async afterwards(scene) {
      const schedules = new Set(scene.plans.map(({ tag }) => tag.split('-')[0] ?? ''));
      for (const id of schedules) {
        for (const wrong of await wrongOverlap(scene, id)) scene.complain(`${id}: ${wrong}`);
      }
      if (Number(scene.figures.overlapped) === 0) scene.complain('no runs with allowAll overlapped');
    },
    budget: () => ({ dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0, alsoEnds: ['canceled'] }),
  },
  {
    id: 'F26',
    company: 'others',
    isQuiet: true,
    title: 'Schedules deleted, paused or changed in Temporal behind our back',
    jobs: { short: 0, full: 0 },
    workers: 0,
    async disturb(scene) {
      const ports = [await freePort(), await freePort()];
      for (const port of ports) await scene.ground.start('worker', { PERDURE_WORKER_PORT: String(port) });
      await withTemporal(scene, (client) => spoilAll(scene, client));
      const repaired = { missing: 0, changed: 0 };
      for (const port of ports) {
        const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
        for (const reason of ['missing', 'changed'] as const) {
          const counted = new RegExp(`^perdure_schedule_repairs_total\\{reason="${reason}"\\} (\\d+)`, 'm').exec(text);
          repaired[reason] += Number(counted?.[1]);
        }
      }
      Object.assign(scene.figures, repaired);
      const deleted = Array.from({ length: SPOILED }, (_, n) => n).filter((n) => n % WAYS.length === 0).length;
      if (!(repaired.missing >= deleted && repaired.changed >= SPOILED - deleted)) {
        scene.complain('the metrics do not tell of all repairs');
      }
    },
  },
  {
    id: 'F27',
    company: 'others',
    isQuiet: true,
    title: `Schedules told ${TRIGGERS} times within one second to run now`,
    jobs: { short: 0, full: 0 },
    async disturb(scene) {
      const { perdure } = scene.ground;
      scene.figures.slowestFiveMs = 0;
      for (let n = 0; n < TRIGGERED; n++) {
        const id = `F27x${n}`;
        await putSchedule(scene, id, { cron: '0 0 1 1 *' });
        const startedAt = Date.now();
        const told = await Promise.allSettled(Array.from({ length: TRIGGERS }, () => perdure.schedules.trigger(id)));
        scene.figures.slowestFiveMs = Math.max(Number(scene.figures.slowestFiveMs), Date.now() - startedAt);
        const ids = new Set(told.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : [])));
        if (ids.size < TRIGGERS) scene.complain(`${id}: ${ids.size} runs for ${TRIGGERS} triggers`);
        for (const jobId of ids) await expectJob(scene, jobId);
        const rows = await ticksOf(scene, id);
        const known = rows.filter(({ outcome, jobId }) => outcome === 'triggered' && ids.has(jobId ?? ''));
        if (known.length !== TRIGGERS || rows.length !== TRIGGERS) {
          scene.complain(`${id}: its rows are ${rows.map(({ outcome, jobId }) => `${outcome} ${jobId}`).join(', ')}`);
        }
      }
    },
  },
];

function tally(scene: Scene, rows: Map<string, Tick[]>): void {
  for (const [id, ticks] of rows) {
    for (const { outcome } of ticks) {
      const name = `${id.split('x')[1]} ${outcome}`;
      scene.figures[name] = Number(scene.figures[name] ?? 0) + 1;
    }
  }
}

/** What its policy says of one schedule, in its rows, its jobs and the calls that came. */
async function wrongOverlap(scene: Scene, id: string): Promise<string[]> {
  const { slowMs } = OVERLAPPING[scene.isShort ? 'short' : 'full'];
  const { rows, jobs } = await readAll(scene, id);
  const calls = ownSends(scene).filter(({ tag }) => tag === id);
  const overlaps = calls.filter(({ at }, n) => n > 0 && at < (calls[n - 1]?.at ?? 0) + slowMs).length;
  const skipped = rows.filter(({ outcome }) => outcome === 'skippedOverlap');
  const ends = new Set([...jobs.values()].map(({ status }) => status));
  const isSerial = overlaps === 0 && ends.size === 1;
  switch (id.split('x')[1] as Overlap) {
    case 'skip':
      return [
        ...(isSerial && skipped.length > 0 ? [] : [`${overlaps} overlap, ${skipped.length} were skipped`]),
        ...skipped.filter((row) => !namesRun(row, jobs, /^(.+) had not ended\.$/)).map(unexplained),
      ];
    case 'bufferOne':
      return [
        ...(isSerial && skipped.length > 0 ? [] : [`${overlaps} overlap, ${skipped.length} were skipped`]),
        ...skipped.filter((row) => !namesRun(row, jobs, /^(.+) already waits for its turn\.$/)).map(unexplained),
        ...notBuffered(jobs),
      ];
    case 'bufferAll':
      return [
        ...(isSerial ? [] : [`${overlaps} overlap`]),
        ...(calls.every(({ job }, n) => job === rows[n]?.jobId)
          ? []
          : ['its runs were not in the order of their times']),
        ...notBuffered(jobs),
      ];
    case 'cancelOther':
    case 'terminateOther':
      return notCanceled(rows, jobs);
    case 'allowAll':
      // One schedule's may have had their turns far from each other on a busy machine: of all together some overlap.
      scene.figures.overlapped = Number(scene.figures.overlapped ?? 0) + overlaps;
      return ends.size === 1 ? [] : [`its runs ended ${[...ends].join(', ')}`];
  }
}

async function readAll(scene: Scene, id: string): Promise<{ rows: Tick[]; jobs: Map<string, Job> }> {
  const rows = await ticksOf(scene, id);
  const jobs = new Map<string, Job>();
  for await (const job of scene.ground.perdure.jobs.list({ scheduleId: id, limit: 200 })) jobs.set(job.id, job);
  return { rows, jobs };
}

function namesRun({ reason, jobId }: Tick, jobs: Map<string, Job>, pattern: RegExp): boolean {
  return jobId === null && jobs.has(pattern.exec(reason ?? '')?.[1] ?? '');
}

function unexplained({ nominalTime, reason }: Tick): string {
  return `${nominalTime} was skipped because “${reason}”`;
}

/** Each but the first that waited has a row and a job that says for which run it waited. */
function notBuffered(jobs: Map<string, Job>): string[] {
  const waited = [...jobs.values()].filter(({ dependsOn }) => dependsOn.length > 0);
  return waited.length > 0 && waited.every(({ dependsOn }) => dependsOn.every((one) => jobs.has(one)))
    ? []
    : ['no run says for which other it waited'];
}

/** When one begins, those before it have ended; the last one ends by itself. */
function notCanceled(rows: Tick[], jobs: Map<string, Job>): string[] {
  const begun = [...rows].sort((a, b) => Date.parse(a.startedAt ?? '') - Date.parse(b.startedAt ?? ''));
  const wrong = begun.filter(({ jobId }, n) => {
    const job = jobs.get(jobId ?? '');
    const next = begun[n + 1];
    if (!next) return job?.status !== 'succeeded';
    return job?.status !== 'canceled' && Date.parse(job?.finishedAt ?? '') > Date.parse(next.startedAt ?? '');
  });
  const canceled = [...jobs.values()].filter(({ status }) => status === 'canceled').length;
  return [
    ...wrong.map(({ nominalTime, jobId }) => `${nominalTime} is ${jobs.get(jobId ?? '')?.status}`),
    ...(canceled > 0 ? [] : ['none was canceled']),
  ];
}

type Handle = ReturnType<Client['schedule']['getHandle']>;
const WAYS: ((handle: Handle) => Promise<unknown>)[] = [
  (handle) => handle.delete(),
  (handle) => handle.pause('behind our back'),
  (handle) => handle.update((old) => ({ ...old, spec: { intervals: [{ every: '1h' }] } })),
];

/** All of them at once; each is to be what it was again, and no time of it may be missed. */
async function spoilAll(scene: Scene, client: Client): Promise<void> {
  const { intervalsS, horizonMs } = SPOILED_FOR[scene.isShort ? 'short' : 'full'];
  const startMs = Math.ceil((Date.now() + LEAD_MS) / 1_000) * 1_000;
  const everyMsOf = (n: number) => (intervalsS[Math.floor(n / WAYS.length) % intervalsS.length] ?? 2) * 1_000;
  const times = new Map<string, number[]>();
  const idOf = (n: number) => `F26x${n}`;
  await eachOf(SPOILED, async (n) => {
    const id = idOf(n);
    const nominal = timesFrom(startMs, everyMsOf(n), Math.floor(horizonMs / everyMsOf(n)));
    const bounds = { startAt: nominalText(startMs), endAt: nominalText(nominal.at(-1) ?? 0) };
    await putSchedule(scene, id, { every: `${everyMsOf(n)}ms`, ...bounds, overlap: 'allowAll' });
    times.set(id, nominal);
    for (const ms of nominal) await expectJob(scene, jobIdOf(id, ms));
  });
  await sleep(Math.max(0, startMs + 1_000 - Date.now()));
  // By number: they are in `times` in the order in which they were put.
  const repairs = Array.from({ length: SPOILED }, async (_, n) => {
    const id = idOf(n);
    const handle = client.schedule.getHandle(id);
    const before = await stateOf(handle);
    await WAYS[n % WAYS.length]?.(handle);
    const at = Date.now();
    // A server that does not answer just then is asked again.
    const isBack = async () => (await stateOf(handle).catch(() => null)) === before;
    const timeoutMs = everyMsOf(n) + REPAIRED_WITHIN_MS;
    await eventually(isBack, { timeoutMs }).catch(() => void scene.complain(`${id} was not repaired`));
    return scene.healed(at);
  });
  scene.figures.slowestRepairMs = Math.max(...(await Promise.all(repairs)));
  await sleep(Math.max(0, startMs + horizonMs - Date.now()));
  const rows = await allRows(scene, times);
  for (const [id, nominal] of times) {
    for (const wrong of wrongRows(rows.get(id) ?? [], nominal, RAN)) scene.complain(`${id}: ${wrong}`);
  }
}

async function stateOf(handle: Handle): Promise<string | null> {
  try {
    const { spec, state, action } = await handle.describe();
    return JSON.stringify([spec, state.paused, action]);
  } catch (error) {
    if ((error as Error).name === 'ScheduleNotFoundError') return null;
    throw error;
  }
}
