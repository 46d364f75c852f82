// One fault from its beginning to its verdict: processes, load, disturbance, drain, facts, check.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Budget, check, type Disturbance, type Facts, type Findings, violations } from './checker.ts';
import { submitAll } from './clients.ts';
import { drain, readLetters, readRows, readSends, readWorkflows } from './facts.ts';
import { createGround, type Ground } from './ground.ts';
import { createHistory, type History } from './history.ts';
import { makePlans, type Mix, type Plan } from './plan.ts';
import { createRandom, type Random } from './random.ts';
import type { World } from './world.ts';

export interface Scene {
  world: World;
  ground: Ground;
  random: Random;
  history: History;
  plans: Plan[];
  isShort: boolean;
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
  jobs: { short: number; full: number };
  perSecond?: number;
  clients?: number;
  apis?: number;
  workers?: number;
  environment?: Record<string, string>;
  mix?: Partial<Mix>;
  /** Before the processes start: what stands between them and the stores. */
  prepare?(world: World, random: Random): Promise<Detour>;
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
}

export const NO_COST: Budget = { dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0 };

const STUCK_AFTER_MS = 120_000;
const SHORT_PAUSE = 0.4;
/** So that a few disturbances fall into it. */
const SHORT_LOAD_S = 6;

export async function runFault(world: World, fault: Fault, options: RunOptions): Promise<Result> {
  const startedAt = performance.now();
  const prepared = await fault.prepare?.(world, createRandom(options.seed + 2));
  const ground = await createGround(world, fault.environment, prepared?.environment);
  try {
    const scene = await play(world, ground, fault, options);
    Object.assign(scene.scene.figures, prepared?.figures());
    const facts = await gather(scene.scene, scene.disturbances);
    const sends = facts.sends.map((send) => JSON.stringify(send)).join('\n');
    writeFileSync(join(options.reportFolder, fault.id, 'sends.jsonl'), `${sends}\n`);
    const findings = check(facts, fault.budget?.(scene.scene) ?? NO_COST);
    const found = {
      ...violations(findings),
      unacknowledged: unacknowledged(facts),
      died: ground.casualties(),
      bounds: overBounds(findings, fault, options),
      own: scene.complaints,
    };
    const isValid = Object.values(found).every((list) => list.length === 0);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    const { id, title } = fault;
    return { id, title, findings, violations: found, figures: scene.scene.figures, seconds, isValid };
  } finally {
    await ground.close();
    await prepared?.close();
  }
}

interface Played {
  scene: Scene;
  disturbances: Disturbance[];
  complaints: string[];
}

async function play(world: World, ground: Ground, fault: Fault, options: RunOptions): Promise<Played> {
  const { isShort, seed, reportFolder } = options;
  const { id, apis = 1, workers = 2, perSecond = 150, clients = 50 } = fault;
  const folder = join(reportFolder, id);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let n = 0; n < apis; n++) await ground.start('api');
  await Promise.all(Array.from({ length: workers }, () => ground.start('worker')));
  const count = isShort ? fault.jobs.short : fault.jobs.full;
  const plans = makePlans(id, count, { seed, oracleUrl: world.oracle.url, mix: fault.mix });
  const history = createHistory(join(folder, 'history.jsonl'));
  const disturbances: Disturbance[] = [];
  const complaints: string[] = [];
  const random = createRandom(seed + 1);
  let over = false;
  const scene: Scene = {
    ...{ world, ground, random, history, plans, isShort, figures: {} },
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
  const pace = isShort ? Math.min(perSecond, count / SHORT_LOAD_S) : perSecond;
  const load = submitAll(plans, { apiUrl: ground.apiUrl, clients, perSecond: pace, history });
  await Promise.all([load.finally(() => (over = true)), fault.disturb?.(scene)]);
  await drain(ground, STUCK_AFTER_MS);
  await fault.afterwards?.(scene);
  return { scene, disturbances, complaints };
}

async function gather({ world, ground, plans, history }: Scene, disturbances: Disturbance[]): Promise<Facts> {
  const tags = new Set(plans.map(({ tag }) => tag.split('-')[0]));
  const [rows, letters, workflows] = await Promise.all([
    readRows(ground),
    readLetters(ground),
    readWorkflows(world, ground),
  ]);
  const sends = readSends(world, (tag) => tags.has(tag.split('-')[0]));
  return { plans, calls: history.calls, rows, letters, sends, workflows, disturbances };
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
