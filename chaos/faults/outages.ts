// A target that is away for long: its jobs wait for it, all others do not notice.
import { setTimeout as sleep } from 'node:timers/promises';

import { createDoor, type Door } from '../door.ts';
import type { Fault, Scene } from '../fault.ts';
import { compare, type Period, type Timed } from '../latency.ts';
import { MANY, type Plan } from '../plan.ts';
import { withDatabase } from '../sql.ts';

const AWAY_MS = { short: 8_000, full: 60_000 };
/** Long enough for a p99 of the others that is not one or two of them. */
const BEFORE_MS = { short: 1_000, full: 40_000 };
/** One in so many is for that target. */
const SHARE = 20;
/**
 * Patient enough for all of it; the longest wait is what the last of them may take to notice that it is over. Each try of
 * each job is a task of Temporal's: at its end some 8 a second beside the new jobs. With 16 of them the others noticed.
 */
const RETRY = { maxAttempts: 50, initialInterval: '3s', backoffCoefficient: 2, maxInterval: '30s', jitter: 0.2 };
const [INITIAL_MS, MAX_MS, JITTER] = [3_000, 30_000, 0.2];
/** The clock of the database and that of the worker are read one after the other. */
const CLOCK_MS = 20;
/** Beyond the planned wait; judged in a full run. */
const LATEST_RETRY_MS = 5_000;
/** Over so long the rate of tries is counted. */
const RATE_MS = 5_000;
/** Calls that the last connections were just taking. */
const CUT = 20;

export const TARGET_AWAY: Fault = targetAway();

function targetAway(): Fault {
  let door: Door | null = null;
  return {
    id: 'F18',
    title: `The target of one job in ${SHARE} away for ${AWAY_MS.full / 1_000} s (${AWAY_MS.short / 1_000} s in a short run)`,
    jobs: { short: 240, full: 4_000 },
    perSecond: 32,
    mix: MANY,
    async prepare({ oracle }) {
      const made = await createDoor(oracle.url);
      door = made;
      return { environment: () => ({}), figures: () => ({}), close: () => made.stop() };
    },
    plan(plans, { oracle }) {
      for (const [n, plan] of plans.entries()) {
        if (n % SHARE === 0 && plan.kind === 'job') throughDoor(plan, oracle.url, door?.url ?? '');
      }
    },
    async disturb(scene) {
      const size = scene.isShort ? 'short' : 'full';
      await sleep(BEFORE_MS[size]);
      const from = Date.now();
      await door?.shut();
      await sleep(AWAY_MS[size]);
      await door?.open();
      scene.healed(from);
      scene.figures.awayFrom = from;
      scene.figures.awayUntil = Date.now();
    },
    async afterwards(scene) {
      const attempts = await readAttempts(scene);
      judgeAttempts(scene, attempts);
      await judgeOthers(scene);
    },
    budget: () => ({ dupSends: { atLeastOnce: CUT, atMostOnce: 0 }, unknown: CUT }),
    bounds: { recoveryP99Ms: MAX_MS * (1 + JITTER) + LATEST_RETRY_MS },
  };
}

function throughDoor({ body }: Plan, oracleUrl: string, doorUrl: string): void {
  const http = body.http as { url: string };
  body.http = { ...http, url: http.url.replace(oracleUrl, doorUrl) };
  body.retry = RETRY;
}

interface Attempt {
  tag: string;
  total: number;
  number: number;
  outcome: string;
  startedAt: Date;
  finishedAt: Date | null;
}

function readAttempts({ ground }: Scene): Promise<Attempt[]> {
  return withDatabase(ground.databaseUrl, async (client) => {
    const { rows } = await client.query<Attempt>(
      `select jobs.labels ->> 'tag' as tag, jobs.attempts as total, number, outcome,
         attempts.started_at as "startedAt", attempts.finished_at as "finishedAt"
       from attempts join jobs on jobs.id = job_id
       where jobs.host = 'localhost' order by job_id, number`,
    );
    return rows;
  });
}

/** Each is written down, each next one comes when it was to come. */
function judgeAttempts({ figures, complain, isShort }: Scene, attempts: Attempt[]): void {
  let before: Attempt | null = null;
  let latestMs = 0;
  for (const attempt of attempts) {
    const { tag, number, total, outcome, finishedAt } = attempt;
    const isNext = before !== null && before.tag === tag;
    if (number !== (isNext && before ? before.number + 1 : 1)) {
      complain(`${tag}: an attempt before ${number} is missing`);
    }
    if (number > total || outcome === 'open' || finishedAt === null) {
      complain(`${tag}: attempt ${number} is ${outcome}`);
    }
    if (isNext && before?.finishedAt && before.outcome === 'notSent') {
      // The next one is fixed before the end of this one is written down.
      const pauseMs = attempt.startedAt.getTime() - before.startedAt.getTime();
      const waitedMs = attempt.startedAt.getTime() - before.finishedAt.getTime();
      const plannedMs = Math.min(MAX_MS, INITIAL_MS * 2 ** (before.number - 1));
      if (pauseMs < plannedMs * (1 - JITTER) - CLOCK_MS) {
        complain(`${tag}: attempt ${number} came after ${pauseMs} ms, planned were ${plannedMs}`);
      }
      latestMs = Math.max(latestMs, waitedMs - Math.min(MAX_MS, plannedMs * (1 + JITTER)));
    }
    before = attempt;
  }
  const inVain = attempts.filter(({ outcome }) => outcome === 'notSent');
  figures.attemptsInVain = inVain.length;
  figures.mostTriesPerSecond = mostPerSecond(inVain);
  figures.latestRetryMs = Math.round(latestMs);
  if (figures.attemptsInVain === 0) complain('nobody came while the target was away: nothing was tried');
  if (!isShort && latestMs > LATEST_RETRY_MS) complain(`a retry came ${Math.round(latestMs)} ms late`);
}

function mostPerSecond(attempts: Attempt[]): number {
  const counts = new Map<number, number>();
  for (const { startedAt } of attempts) {
    const window = Math.floor(startedAt.getTime() / RATE_MS);
    counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  return Math.round(Math.max(0, ...counts.values()) / (RATE_MS / 1_000));
}

/** From acceptance to the end, of plain jobs for the other target. */
async function judgeOthers({ ground, figures, complain, isShort }: Scene): Promise<void> {
  const { awayFrom, awayUntil } = figures as Record<string, number>;
  const jobsOf = ({ from, until }: Period) =>
    withDatabase(ground.databaseUrl, async (client) => {
      const { rows } = await client.query<Timed>(
        `select extract(epoch from created_at)::float8 * 1000 as at,
           extract(epoch from finished_at - created_at)::float8 * 1000 as "durationMs" from jobs
         where host <> 'localhost' and run_at is null and attempts = 1 and run_id is null and created_at between $1 and $2`,
        [new Date(from), new Date(until)],
      );
      return rows;
    });
  // Without the first seconds, in which everything is new to the processes.
  const before = await jobsOf({ from: (awayFrom ?? 0) - BEFORE_MS.full * 0.75, until: awayFrom ?? 0 });
  const during = await jobsOf({ from: awayFrom ?? 0, until: awayUntil ?? 0 });
  const { slower, ...compared } = compare(before, during);
  Object.assign(figures, compared);
  if (slower !== null && !isShort) complain(`jobs for other targets: ${slower}`);
  delete figures.awayFrom;
  delete figures.awayUntil;
}
