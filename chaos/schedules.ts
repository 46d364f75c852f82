// Schedules whose fires are judged like jobs: the suite works out each nominal time itself, and each is a plan.
import { setTimeout as sleep } from 'node:timers/promises';

import type { ScheduledJob, ScheduleFields, ScheduleInput, ScheduleTime, Tick } from '../src/client/types.ts';
import { behaviourPath } from './behaviours.ts';
import type { Scene } from './fault.ts';
import { readSends } from './ledger.ts';
import type { Send } from './oracle.ts';
import type { Delivery, PlannedStep } from './plan.ts';
import { count } from './sql.ts';

export interface FireOptions {
  slowMs?: number;
  delivery?: Delivery;
}

/** Outcomes of a time that has run as it should. */
export const RAN: readonly string[] = ['ran', 'caughtUp'];
/** Puts at a time; more would measure the client. */
const PARALLEL = 10;
const ROWS_WITHIN_MS = 90_000;

export async function putSchedule(
  { world, ground }: Scene,
  id: string,
  fields: ScheduleTime & ScheduleFields,
  { slowMs = 0, delivery = 'atLeastOnce' }: FireOptions = {},
): Promise<void> {
  const job: ScheduledJob = {
    ...{ name: id, labels: { tag: id }, delivery },
    http: { method: 'POST', url: `${world.oracle.url}${behaviourPath(id, 'call', stepOf(slowMs))}`, timeout: '15s' },
  };
  await ground.perdure.schedules.put(id, { ...fields, job } satisfies ScheduleInput);
}

/** `work` for each of so many, a few at a time. */
export async function eachOf(all: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let n = next++; n < all; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
}

/** From now on the checker expects this job: once, under its own key, with the end its target gives it. */
export async function expectJob(
  { plans, tags, history }: Scene,
  id: string,
  { slowMs = 0, delivery = 'atLeastOnce' }: FireOptions = {},
): Promise<void> {
  const shared = { tag: id, key: `key-${id}` };
  plans.push({
    ...{ ...shared, kind: 'job', body: {}, delivery, steps: { call: stepOf(slowMs) } },
    ...{ delayMs: 0, copies: 1, reusesKey: false },
  });
  tags.set(id, id);
  // What was accepted with the schedule, or has a row, is promised.
  await history.record({ ...shared, op: 'submit' }, async () => Response.json({ id }));
}

export function jobIdOf(schedule: string, nominalMs: number): string {
  return `${schedule}-${nominalText(nominalMs)}`;
}

export function nominalText(nominalMs: number): string {
  return new Date(nominalMs).toISOString().replace('.000Z', 'Z');
}

export function timesFrom(startMs: number, everyMs: number, fires: number): number[] {
  return Array.from({ length: fires }, (_, n) => startMs + n * everyMs);
}

/** Oldest first. */
export async function ticksOf({ ground }: Scene, schedule: string): Promise<Tick[]> {
  const ticks: Tick[] = [];
  for await (const tick of ground.perdure.schedules.ticks(schedule, { limit: 200 })) ticks.push(tick);
  return ticks.reverse();
}

/** The rows of all schedules, once there are as many as nominal times, or time is up. */
export async function allRows(scene: Scene, times: Map<string, number[]>): Promise<Map<string, Tick[]>> {
  const expected = [...times.values()].flat().length;
  const endsAt = Date.now() + ROWS_WITHIN_MS;
  // Asking for each of thousands of schedules again and again would be a load of its own.
  const isOpen = async () => (await count(scene.ground.databaseUrl, 'ticks where outcome is not null')) < expected;
  while (Date.now() < endsAt && (await isOpen())) await sleep(500);
  const ids = [...times.keys()];
  const rows = new Map<string, Tick[]>();
  await eachOf(ids.length, async (n) => void rows.set(ids[n] ?? '', await ticksOf(scene, ids[n] ?? '')));
  return rows;
}

/** Exactly one row for each nominal time, with one of these outcomes. */
export function wrongRows(rows: Tick[], times: number[], outcomes: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const { nominalTime } of rows) counts.set(nominalTime, (counts.get(nominalTime) ?? 0) + 1);
  const expected = times.map(nominalText);
  return [
    ...expected.filter((time) => !counts.has(time)).map((time) => `${time} has no row`),
    ...[...counts].filter(([time, n]) => n > 1 || !expected.includes(time)).map(([time]) => `${time} is too much`),
    ...rows.filter(({ outcome }) => !outcomes.includes(outcome)).map((row) => `${row.nominalTime} is ${row.outcome}`),
  ];
}

/** As the target saw it: from each nominal time to the first call of its job, in order; what was never sent is left out. */
export function latenessMs(scene: Scene): number[] {
  const ids = new Set(scene.plans.map(({ tag }) => tag));
  const first = new Map<string, number>();
  for (const { job, at } of ownSends(scene)) if (ids.has(job) && !first.has(job)) first.set(job, at);
  return [...first].map(([id, at]) => at - Date.parse(id.slice(id.indexOf('-') + 1))).sort((a, b) => a - b);
}

/** Of this fault's schedules: their labels are the beginnings of the ids of their jobs. */
export function ownSends({ world, plans }: Scene): Send[] {
  const labels = new Set(plans.map(({ tag }) => tag.split('-')[0]));
  return readSends(world, (tag) => labels.has(tag));
}

function stepOf(slowMs: number): PlannedStep {
  return { behaviour: slowMs > 0 ? 'slow' : 'well', times: slowMs };
}
