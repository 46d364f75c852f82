// One fault from its beginning to its verdict: processes, load, disturbance, drain, facts, check.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Budget, check, type Disturbance, type Facts, type Findings, violations } from './checker.ts';
import { submitAll } from './clients.ts';
import { drain, readLetters, readRows, readSends, readWorkflows } from './facts.ts';
import { createGround, type Ground, type Launch, type Role } from './ground.ts';
import { createHistory, type History } from './history.ts';
import { makePlans, type Mix, type Plan } from './plan.ts';
import { createRandom, type Random } from './random.ts';
import type { Server } from './servers.ts';
import type { World } from './world.ts';

export interface Scene {
  world: World;
  ground: Ground;
  /** That one, and those that the fault has added to be played in several places at once. */
  grounds: Ground[];
  random: Random;
  history: History;
  plans: Plan[];
  /** Of jobs that share a label, as those of a schedule do: by id, the tag of the plan. */
  tags: Map<string, string>;
  isShort: boolean;
  /** Of crash points only these. */
  points: readonly string[];
  /** The load is over: whoever disturbs puts everything right and returns. */
  isOver(): boolean;
  /** Between two disturbances; shorter in a short run, and over at once when the load is. */
  pause(minMs: number, maxMs: number): Promise<void>;
  /** Notes that what happened since `at` is healed now; returns how long it took. */
  healed(at: number): number;
  /** More figures for the report. */
  figures: Record<string, number | string>;
  /** What this fault alone has to say against the product. */
  complain(what: string): void;
}

export interface Fault {
  id: string;
  title: string;
  /** False: its verdict rests on counts, or on times of a minute: it may be played beside others of its kind. */
  isTimed?: false;
  jobs: { short: number; full: number };
  perSecond?: number;
  clients?: number;
  apis?: number;
  workers?: number;
  environment?: Record<string, string>;
  mix?: Partial<Mix>;
  /** Why it cannot be tried on this machine, or null; what was not run has not passed. */
  whyNot?(): string | null;
  /** Changes what was planned, before the load begins. */
  plan?(plans: Plan[], world: World, isShort: boolean): void;
  /** Before the processes start: what stands between them and the stores. */
  prepare?(world: World, random: Random): Promise<Detour>;
  /** When the processes run, before the load begins. */
  before?(scene: Scene): Promise<void>;
  /** Beside the load. */
  disturb?(scene: Scene): Promise<void>;
  /** When all is final, before it is checked. */
  afterwards?(scene: Scene): Promise<void>;
  /** What it may cost, seen at the end; nothing by default. */
  budget?(scene: Scene): Budget;
  /** Upper bounds of what was measured. */
  bounds?: { recoveryP99Ms?: number; slowestCallMs?: number };
}

export interface Detour {
  /** By which the processes find it. */
  environment(databaseUrl: string): Record<string, string>;
  /** For the report. */
  figures(): Record<string, number>;
  /** How the processes of this role alone are started. */
  launch?(role: Role): Launch;
  /** Instead of the one that all faults share. */
  postgres?: Server;
  close(): Promise<void>;
}

export interface Result {
  id: string;
  title: string;
  findings: Findings;
  violations: Record<string, string[]>;
  figures: Record<string, number | string>;
  seconds: number;
  isValid: boolean;
}

export interface RunOptions {
  isShort: boolean;
  seed: number;
  reportFolder: string;
  jobs: number | null;
  points: readonly string[];
  /** For a product that is known to be broken: what is not final by then will not be. */
  stuckAfterMs?: number;
}

export const NO_COST: Budget = { dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0 };

const STUCK_AFTER_MS = 120_000;
/** What two cores carry with some to spare: from a backlog nobody could tell how long a recovery takes. */
const SUSTAINED_PER_SECOND = 40;
/** For whom the time of a recovery is judged: what a disturbance leaves behind is made up for while the load goes on. */
export const RECOVERING_PER_SECOND = 35;
/** A process that has just started compiles as it goes: one after the other, before anything is timed or goes wrong. */
const LEAST_WARM_UPS = 20;
const MOST_WARM_UPS = 300;
const SHORT_PAUSE = 0.4;
/** So that a few disturbances fall into it. */
const SHORT_LOAD_S = 6;

export async function runFault(shared: World, fault: Fault, options: RunOptions): Promise<Result> {
  const startedAt = performance.now();
  const prepared = await fault.prepare?.(shared, createRandom(options.seed + 2));
  const world = prepared?.postgres ? { ...shared, postgres: prepared.postgres } : shared;
  const grounds: Ground[] = [];
  try {
    grounds.push(await createGround(world, fault.environment, prepared));
    const scene = await play(world, grounds, fault, options);
    Object.assign(scene.scene.figures, prepared?.figures());
    const facts = await gather(scene.scene, scene.disturbances);
    keep(join(options.reportFolder, fault.id), facts);
    const findings = check(facts, fault.budget?.(scene.scene) ?? NO_COST);
    const found = {
      ...violations(findings),
      unacknowledged: unacknowledged(facts),
      died: grounds.flatMap((ground) => ground.casualties()),
      bounds: overBounds(findings, fault, options),
      own: scene.complaints,
    };
    const isValid = Object.values(found).every((list) => list.length === 0);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { id, title } = fault;
    return { id, title, findings, violations: found, figures: scene.scene.figures, seconds, isValid };
  } finally {
    await Promise.all(grounds.map((ground) => ground.close()));
    await prepared?.close();
  }
}

interface Played {
  scene: Scene;
  disturbances: Disturbance[];
  complaints: string[];
}

async function play(world: World, grounds: Ground[], fault: Fault, options: RunOptions): Promise<Played> {
  const { isShort, seed, reportFolder, points, stuckAfterMs = STUCK_AFTER_MS } = options;
  const [ground] = grounds as [Ground];
  const { id, apis = 1, workers = 2, perSecond = SUSTAINED_PER_SECOND, clients = 50 } = fault;
  const folder = join(reportFolder, id);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < apis; n++) await ground.start('api');
  await Promise.all(Array.from({ length: workers }, () => ground.start('worker')));
  const count = options.jobs ?? (isShort ? fault.jobs.short : fault.jobs.full);
  const plans = makePlans(id, count, { seed, oracleUrl: world.oracle.url, mix: fault.mix });
  fault.plan?.(plans, world, isShort);
  const history = createHistory(join(folder, 'history.jsonl'));
  const disturbances: Disturbance[] = [];
  const complaints: string[] = [];
  const random = createRandom(seed + 1);
  let over = false;
  const scene: Scene = {
    ...{ world, ground, grounds, random, history, plans, isShort, points },
    ...{ figures: {}, tags: new Map<string, string>() },
    isOver: () => over,
    async pause(minMs, maxMs) {
      const ms = random.between(minMs, maxMs) * (isShort ? SHORT_PAUSE : 1);
      const endsAt = performance.now() + ms;
      while (!over && performance.now() < endsAt) await sleep(Math.min(50, ms));
    },
    healed(at) {
      const healedAt = Date.now();
      disturbances.push({ at, healedAt });
      return healedAt - at;
    },
    complain: (what) => void complaints.push(what),
  };
  await fault.before?.(scene);
  const pace = isShort ? Math.min(perSecond, count / SHORT_LOAD_S) : perSecond;
  const { apiUrl } = ground;
  const warmUps = isShort ? LEAST_WARM_UPS : Math.max(LEAST_WARM_UPS, Math.min(MOST_WARM_UPS, count / 10));
  await submitAll(plans.slice(0, warmUps), { apiUrl, clients: 1, perSecond: pace, history });
  const load = submitAll(plans.slice(warmUps), { apiUrl, clients, perSecond: pace, history });
  await Promise.all([load.finally(() => (over = true)), fault.disturb?.(scene)]);
  await Promise.all(grounds.map((one) => drain(one, stuckAfterMs)));
  await fault.afterwards?.(scene);
  return { scene, disturbances, complaints };
}

async function gather(scene: Scene, disturbances: Disturbance[]): Promise<Facts> {
  const { world, grounds, plans, tags, history } = scene;
  const own = new Set(plans.map(({ tag }) => tag.split('-')[0]));
  const rows = (await Promise.all(grounds.map(readRows))).flat();
  const letters = (await Promise.all(grounds.map(readLetters))).flat();
  const workflows = await Promise.all(grounds.map((ground) => readWorkflows(world, ground)));
  const sends = readSends(world, (tag) => own.has(tag.split('-')[0]));
  for (const row of rows) row.tag = tags.get(row.id) ?? row.tag;
  for (const send of sends) send.tag = tags.get(send.job) ?? send.tag;
  const all = new Map(workflows.flatMap((some) => [...some]));
  return { plans, calls: history.calls, rows, letters, sends, workflows: all, disturbances };
}

/** What the verdict rests on, for whoever wants to know why. */
function keep(folder: string, { plans, rows, sends, disturbances }: Facts): void {
  const short = plans.map(({ tag, delivery, delayMs, steps }) => ({ tag, delivery, delayMs, steps }));
  for (const [name, items] of Object.entries({ plans: short, rows, sends, disturbances })) {
    writeFileSync(join(folder, `${name}.jsonl`), items.map((item) => `${JSON.stringify(item)}\n`).join(''));
  }
}

/** Every fault heals, so every client has its yes in the end. */
function unacknowledged({ plans, calls }: Facts): string[] {
  const acked = new Set(calls.filter(({ op, outcome }) => op === 'submit' && outcome === 'ok').map(({ tag }) => tag));
  return plans.filter(({ tag }) => !acked.has(tag)).map(({ tag }) => tag);
}

/** Times are promises of a machine that is not shared with anyone: a short run shows them and judges none. */
function overBounds(findings: Findings, { bounds = {} }: Fault, { isShort }: RunOptions): string[] {
  if (isShort) return [];
  const { recoveryP99Ms = Infinity, slowestCallMs = Infinity } = bounds;
  const p99 = findings.recoveryMs?.p99 ?? 0;
  return [
    ...(p99 > recoveryP99Ms ? [`recovery p99 ${p99} ms, at most ${recoveryP99Ms} allowed`] : []),
    ...(findings.slowestCallMs > slowestCallMs
      ? [`a call of the API took ${findings.slowestCallMs} ms, at most ${slowestCallMs} allowed`]
      : []),
  ];
}
