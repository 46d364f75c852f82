// One fault from its beginning to its verdict: processes, load, disturbance, drain, facts, check.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Budget, check, type Disturbance, type Facts, type Findings, violations } from './checker.ts';
import { submitAll } from './clients.ts';
import { drain, readLetters, readRows, readWorkflows } from './facts.ts';
import { createGround, type Ground, type Launch, type Role } from './ground.ts';
import { createHistory, type History } from './history.ts';
import { readSends } from './ledger.ts';
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

/**
 * By what its verdict rests on: times, and it bears at most the quiet ones, which hardly need the processor; times with
 * some room, and it bears the patient ones, which take what the processor has left; counts, or times with much room, and it
 * bears others of its kind; or it is a patient one itself.
 */
export type Company = 'quiet' | 'patient' | 'others' | 'all';

export interface Fault {
  id: string;
  title: string;
  /** Who may be played beside it; nobody by default. */
  company?: Company;
  isQuiet?: true;
  /** Of a full run, after which nobody waits for it any more. */
  mostMinutes?: number;
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
  /** Where they went. */
  phases: Record<string, number>;
  isValid: boolean;
}

export type Phase = 'start' | 'load' | 'drain' | 'afterwards' | 'facts';

export interface RunOptions {
  isShort: boolean;
  seed: number;
  reportFolder: string;
  jobs: number | null;
  points: readonly string[];
  /** Told of each part of it, and of how far that is. */
  onPhase?: (name: Phase, detail?: () => string) => void;
  /** Nobody waits for it any more: it disturbs and submits nothing from then on. */
  signal?: AbortSignal;
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

/** What is there before it begins; can be made while the one before is being judged. */
export interface Stage {
  world: World;
  prepared: Detour | undefined;
  grounds: Ground[];
  close(): Promise<void>;
}

export async function setStage(shared: World, fault: Fault, { seed }: Pick<RunOptions, 'seed'>): Promise<Stage> {
  const { apis = 1, workers = 2 } = fault;
  const prepared = await fault.prepare?.(shared, createRandom(seed + 2));
  const world = prepared?.postgres ? { ...shared, postgres: prepared.postgres } : shared;
  const grounds: Ground[] = [];
  const close = async () => {
    await Promise.all(grounds.map((ground) => ground.close()));
    await prepared?.close();
  };
  try {
    const ground = await createGround(world, fault.environment, prepared);
    grounds.push(ground);
    for (let n = 0; n < apis; n++) await ground.start('api');
    await Promise.all(Array.from({ length: workers }, () => ground.start('worker')));
  } catch (error) {
    await close();
    throw error;
  }
  return { world, prepared, grounds, close };
}

export async function runFault(
  shared: World,
  fault: Fault,
  given: RunOptions,
  set: Promise<Stage> = setStage(shared, fault, given),
): Promise<Result> {
  const startedAt = performance.now();
  const { phases, options } = timed(given);
  options.onPhase('start');
  const { world, prepared, grounds, close } = await set;
  try {
    const { scene, disturbances, complaints } = await play(world, grounds, fault, options);
    Object.assign(scene.figures, prepared?.figures());
    options.onPhase('facts');
    const facts = await gather(scene, disturbances);
    keep(join(options.reportFolder, fault.id), facts);
    const findings = check(facts, fault.budget?.(scene) ?? NO_COST);
    const found = {
      ...violations(findings),
      unacknowledged: unacknowledged(facts),
      died: grounds.flatMap((ground) => ground.casualties()),
      bounds: overBounds(findings, fault, options),
      own: complaints,
    };
    const isValid = Object.values(found).every((list) => list.length === 0);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { id, title } = fault;
    return { id, title, findings, violations: found, figures: scene.figures, seconds, phases: phases(), isValid };
  } finally {
    await close();
  }
}

type Timed = RunOptions & { onPhase: NonNullable<RunOptions['onPhase']> };

function timed(options: RunOptions): { phases(): Record<string, number>; options: Timed } {
  const begun: [Phase, number][] = [];
  return {
    phases: () =>
      Object.fromEntries(
        begun.map(([name, at], n) => [name, Math.round(((begun[n + 1]?.[1] ?? performance.now()) - at) / 1_000)]),
      ),
    options: {
      ...options,
      onPhase(name, detail) {
        begun.push([name, performance.now()]);
        options.onPhase?.(name, detail);
      },
    },
  };
}

interface Played {
  scene: Scene;
  disturbances: Disturbance[];
  complaints: string[];
}

async function play(world: World, grounds: Ground[], fault: Fault, options: Timed): Promise<Played> {
  const { isShort, seed, reportFolder, points, signal, stuckAfterMs = STUCK_AFTER_MS } = options;
  const [ground] = grounds as [Ground];
  const { id, perSecond = SUSTAINED_PER_SECOND, clients = 50 } = fault;
  const folder = join(reportFolder, id);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const count = options.jobs ?? (isShort ? fault.jobs.short : fault.jobs.full);
  const plans = makePlans(id, count, { seed, oracleUrl: world.oracle.url, mix: fault.mix });
  fault.plan?.(plans, world, isShort);
  const history = createHistory(join(folder, 'history.jsonl'));
  const disturbances: Disturbance[] = [];
  const complaints: string[] = [];
  const random = createRandom(seed + 1);
  let over = false;
  const isOver = () => over || signal?.aborted === true;
  const scene: Scene = {
    ...{ world, ground, grounds, random, history, plans, isShort, points },
    ...{ figures: {}, tags: new Map<string, string>() },
    isOver,
    async pause(minMs, maxMs) {
      const ms = random.between(minMs, maxMs) * (isShort ? SHORT_PAUSE : 1);
      const endsAt = performance.now() + ms;
      while (!isOver() && performance.now() < endsAt) await sleep(Math.min(50, ms));
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
  const client = { apiUrl, perSecond: pace, history, ...(signal ? { signal } : {}) };
  await submitAll(plans.slice(0, warmUps), { ...client, clients: 1 });
  const told = () => Object.entries(scene.figures).map(([name, figure]) => `, ${name} ${figure}`);
  options.onPhase('load', () => `${history.calls.length} calls${told().join('')}`);
  const load = submitAll(plans.slice(warmUps), { ...client, clients });
  await Promise.all([load.finally(() => (over = true)), fault.disturb?.(scene)]);
  options.onPhase('drain');
  await Promise.all(grounds.map((one) => drain(one, stuckAfterMs)));
  options.onPhase('afterwards');
  await fault.afterwards?.(scene);
  scene.figures.driverLagMs = Math.round(history.longestStallMs());
  return { scene, disturbances, complaints };
}

async function gather(scene: Scene, disturbances: Disturbance[]): Promise<Facts> {
  const { world, grounds, plans, tags, history } = scene;
  const own = new Set(plans.map(({ tag }) => tag.split('-')[0]));
  const rows = (await Promise.all(grounds.map(readRows))).flat();
  const letters = (await Promise.all(grounds.map(readLetters))).flat();
  const workflows = await Promise.all(grounds.map((ground) => readWorkflows(world, ground)));
  const sent = readSends(world, (tag) => own.has(tag.split('-')[0]));
  const sends = sent.map((send) => ({ ...send, tag: tags.get(send.job) ?? send.tag }));
  for (const row of rows) row.tag = tags.get(row.id) ?? row.tag;
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
