// Processes whose clocks are wrong: times that others see are those of the servers, waits are as long as was asked for.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Fault, Scene } from '../fault.ts';
import type { Role } from '../ground.ts';
import { readSends } from '../ledger.ts';
import type { Send } from '../oracle.ts';
import { MANY, type Plan } from '../plan.ts';
import { SCENARIOS } from '../scenarios.ts';
import { withDatabase } from '../sql.ts';
import type { World } from '../world.ts';

const SKEW_S = 300;
/** What a busy machine may add; a clock that is wrong adds minutes. */
const LATE_MS = 30_000;
/** Clocks of this machine are read by several processes. */
const CLOCK_MS = 50;
/** The pause before the first repetition, less its jitter. */
const LEAST_RETRY_MS = 160;
const SCHEDULES = 3;

export const WRONG_CLOCKS: Fault = wrongClocks();

function wrongClocks(): Fault {
  /** Of jobs that clients do not submit: schedules make them. */
  const scheduled: Plan[] = [];
  return {
    id: 'F20',
    company: 'patient',
    title: `API ${SKEW_S} s ahead and workers ${SKEW_S} s behind, then the other way round`,
    jobs: { short: 150, full: 1_000 },
    perSecond: 12,
    mix: { ...MANY, delayed: 0.3, misbehaving: 0.2 },
    whyNot: () => (findLibrary() === null ? 'no libfaketime (the Debian package of that name)' : null),
    async prepare() {
      return {
        environment: () => ({}),
        figures: () => ({}),
        launch: (role) => ({ environment: wrongClock(role === 'api' ? SKEW_S : -SKEW_S) }),
        close: async () => {},
      };
    },
    async disturb(scene) {
      await scheduleSome({ ...scene, plans: scheduled }, 'ahead');
      while (!scene.isOver() && scene.history.calls.length < scene.plans.length / 2) await scene.pause(100, 100);
      await replaceAll(scene);
      await scheduleSome({ ...scene, plans: scheduled }, 'behind');
    },
    async afterwards(scene) {
      judgeWaits(scene);
      judgeSchedules(scene, scheduled);
      await judgeTimes(scene);
      scene.plans.push(...scheduled);
    },
  };
}

function findLibrary(): string | null {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  const files = folders.map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'));
  return files.find((file) => existsSync(file)) ?? null;
}

/** What counts from a moment in the past, such as a timeout, is right in any case. */
function wrongClock(seconds: number): Record<string, string> {
  const offset = `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s`;
  return { LD_PRELOAD: findLibrary() ?? '', FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** At a moment of the true time. */
async function scheduleSome(scene: Scene, name: string): Promise<void> {
  const tags = Array.from({ length: SCHEDULES }, (_, n) => `F20-${name}${n}`);
  await Promise.all(tags.map((tag) => SCENARIOS.scheduled(scene, tag)));
}

async function replaceAll(scene: Scene): Promise<void> {
  const { ground } = scene;
  const replace = async (role: Role) => {
    const old = ground.running[role].length;
    for (let n = 0; n < old; n++) {
      const code = await ground.end(role, 'SIGTERM');
      if (code !== 0) scene.complain(`a ${role} told to end ended with ${code}`);
      await ground.start(role, wrongClock(role === 'api' ? -SKEW_S : SKEW_S));
    }
  };
  await replace('worker');
  await replace('api');
}

/** As the target has seen it, whose clock is right. */
function judgeWaits({ world, plans, history, complain, figures }: Scene): void {
  const sends = callsOf(world, plans);
  let latestMs = 0;
  for (const { tag, delayMs } of plans) {
    const accepted = history.calls.find((call) => call.tag === tag && call.outcome === 'ok');
    const [first, ...repeated] = sends.get(tag) ?? [];
    if (!accepted || !first) continue;
    const waitedMs = first.at - accepted.at;
    if (waitedMs < delayMs - CLOCK_MS) complain(`${tag} was called after ${waitedMs} ms, its delay is ${delayMs}`);
    latestMs = Math.max(latestMs, waitedMs - delayMs);
    let before = first;
    for (const send of repeated) {
      const pauseMs = send.at - before.at;
      if (pauseMs < LEAST_RETRY_MS) complain(`${tag} was called again after ${pauseMs} ms`);
      latestMs = Math.max(latestMs, pauseMs);
      before = send;
    }
  }
  figures.latestMs = latestMs;
  if (latestMs > LATE_MS) complain(`a call came ${latestMs} ms late`);
}

/** The id of a job of a schedule, and so the key of its call, ends with the time it was for. */
function judgeSchedules({ world, complain, figures }: Scene, plans: Plan[]): void {
  const sends = callsOf(world, plans);
  let latestMs = 0;
  for (const { tag } of plans) {
    const [send] = sends.get(tag) ?? [];
    if (!send) continue;
    const lateMs = send.at - Date.parse(send.key.slice(tag.length + 1));
    if (!(lateMs > -CLOCK_MS && lateMs < LATE_MS)) complain(`${send.key} was called ${lateMs} ms late`);
    latestMs = Math.max(latestMs, lateMs);
  }
  figures.latestScheduledMs = latestMs;
}

function callsOf(world: World, plans: Plan[]): Map<string, Send[]> {
  const tags = new Set(plans.map(({ tag }) => tag));
  const sends = new Map<string, Send[]>();
  for (const send of readSends(world, (tag) => tags.has(tag))) {
    if (send.step === 'call') sends.set(send.tag, [...(sends.get(send.tag) ?? []), send]);
  }
  return sends;
}

async function judgeTimes({ ground, complain }: Scene): Promise<void> {
  const wrong = await withDatabase(ground.databaseUrl, async (client) => {
    const { rows } = await client.query<{ what: string; n: number }>(
      `select 'jobs that began before they were created' as what, count(*)::int as n from jobs where started_at < created_at
       union all select 'jobs that ended before they began', count(*)::int from jobs where finished_at < started_at
       union all select 'jobs created in the future', count(*)::int from jobs where created_at > now()
       union all select 'jobs created long ago', count(*)::int from jobs where created_at < now() - interval '4 minutes'
       union all select 'attempts that ended before they began', count(*)::int from attempts where finished_at < started_at
       union all select 'attempts that took less than no time', count(*)::int from attempts where duration_ms < 0
       union all select 'runs that began before they were created', count(*)::int from runs where started_at < created_at
       union all select 'runs that ended before they began', count(*)::int from runs where finished_at < started_at
       union all select 'ticks that did not run', count(*)::int from ticks where outcome is distinct from 'ran'`,
    );
    return rows.filter(({ n }) => n > 0);
  });
  for (const { what, n } of wrong) complain(`${n} ${what}`);
}
