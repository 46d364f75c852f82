// Compares what was promised with what happened: plans, answers of the API, rows, workflows and the oracle's lines.
import type { Call } from './history.ts';
import type { Send } from './oracle.ts';
import { type Plan, plannedStatus } from './plan.ts';
import { beyond, countDupSends, resentCalls } from './resent.ts';

export interface Row {
  id: string;
  kind: 'job' | 'run';
  /** The label it was submitted with. */
  tag: string;
  status: string;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
}

export interface Letter {
  /** Of the job or run. */
  subject: string;
  reason: string;
}

/** A fault from its beginning until everything needed was there again. */
export interface Disturbance {
  at: number;
  healedAt: number;
}

export interface Facts {
  plans: Plan[];
  calls: Call[];
  rows: Row[];
  letters: Letter[];
  sends: Send[];
  /** Job or run id → how its workflow stands in Temporal; without an entry Temporal knows none. */
  workflows: Map<string, string>;
  disturbances: Disturbance[];
}

/** What a fault may cost. */
export interface Budget {
  /** Requests beyond the planned ones, at-least-once and at-most-once. */
  dupSends: { atLeastOnce: number; atMostOnce: number };
  /** At-most-once jobs that may end `unknown` though their target answered well. */
  unknown: number;
  /** How jobs may end besides the way that was planned, because someone ends them from outside. */
  alsoEnds?: readonly string[];
}

export interface Findings {
  submitted: number;
  acked: number;
  lost: string[];
  unexpected: string[];
  dupJobs: string[];
  dupSends: { atLeastOnce: number; atMostOnce: number };
  /** What of them is beyond the budget. */
  tooManySends: string[];
  keyInstability: string[];
  wrongTerminal: string[];
  dlqMissing: string[];
  dlqDouble: string[];
  stuck: string[];
  /** Submissions whose outcome was unknown for a while and that were done all the same. */
  recovered: number;
  unknown: number;
  recoveryMs: { p50: number; p99: number; count: number } | null;
  slowestCallMs: number;
}

const FINAL = new Set(['succeeded', 'failed', 'canceled', 'expired', 'unknown']);
const DEAD = new Set(['failed', 'expired', 'unknown']);

export function check(facts: Facts, budget: Budget): Findings {
  const { plans, calls, rows } = facts;
  const index = indexOf(facts);
  const acks = plans.map((plan) => ({ plan, ids: acknowledged(index.calls.get(plan.tag) ?? []) }));
  const acked = acks.filter(({ ids }) => ids.size > 0);
  const resent = resentCalls(plans, index.sends);
  const unknown = rows.filter(({ status, tag }) => status === 'unknown' && plannedEnd(index.plans.get(tag)) !== status);
  return {
    submitted: plans.length,
    acked: acked.length,
    lost: acked.flatMap(({ plan, ids }) =>
      [...ids].filter((id) => !isFinal(index.rowsById.get(id))).map(() => plan.tag),
    ),
    unexpected: [...unexpectedSends(facts, index), ...unexpectedRows(facts, index), ...wrongOrder(plans, index)],
    dupJobs: acks.flatMap(({ plan, ids }) => {
      const all = new Set([...ids, ...(index.rows.get(plan.tag) ?? []).map(({ id }) => id)]);
      return all.size > 1 ? [`${plan.tag}: ${[...all].join(', ')}`] : [];
    }),
    dupSends: countDupSends(resent),
    tooManySends: beyond(resent, budget),
    keyInstability: unstableKeys(facts, index),
    wrongTerminal: [...wrongTerminal(facts, index, budget), ...tooManyUnknown(unknown, budget), ...reusedKeys(calls)],
    dlqMissing: rows.filter(({ id, status }) => DEAD.has(status) && !index.letters.has(id)).map(named),
    dlqDouble: rows.filter(({ id, status }) => (index.letters.get(id) ?? 0) > (DEAD.has(status) ? 1 : 0)).map(named),
    stuck: rows.filter((row) => !isFinal(row)).map(named),
    recovered: acked.filter(({ plan }) => (index.calls.get(plan.tag) ?? []).some(({ outcome }) => outcome === 'info'))
      .length,
    unknown: unknown.length,
    recoveryMs: recovery(facts, index),
    slowestCallMs: Math.round(calls.reduce((slowest, { durationMs }) => Math.max(slowest, durationMs), 0)),
  };
}

/** Every count that has to be zero. */
export function violations(findings: Findings): Record<string, string[]> {
  const { lost, unexpected, dupJobs, tooManySends, keyInstability, wrongTerminal, dlqMissing, dlqDouble, stuck } =
    findings;
  return { lost, unexpected, dupJobs, tooManySends, keyInstability, wrongTerminal, dlqMissing, dlqDouble, stuck };
}

interface Index {
  plans: Map<string, Plan>;
  calls: Map<string, Call[]>;
  rows: Map<string, Row[]>;
  rowsById: Map<string, Row>;
  letters: Map<string, number>;
  /** `tag/step` → its requests in order. */
  sends: Map<string, Send[]>;
}

function indexOf({ plans, calls, rows, letters, sends }: Facts): Index {
  const counts = new Map<string, number>();
  for (const { subject } of letters) counts.set(subject, (counts.get(subject) ?? 0) + 1);
  return {
    plans: new Map(plans.map((plan) => [plan.tag, plan])),
    calls: groupBy(calls, ({ tag }) => tag),
    rows: groupBy(rows, ({ tag }) => tag),
    rowsById: new Map(rows.map((row) => [row.id, row])),
    letters: counts,
    sends: groupBy(sends, ({ tag, step }) => `${tag}/${step}`),
  };
}

function acknowledged(calls: Call[]): Set<string> {
  return new Set(calls.flatMap(({ op, outcome, id }) => (op === 'submit' && outcome === 'ok' && id ? [id] : [])));
}

function isFinal(row: Row | undefined): boolean {
  return row !== undefined && FINAL.has(row.status);
}

function plannedEnd(plan: Plan | undefined): string | null {
  const steps = plan ? Object.values(plan.steps) : [];
  if (plan?.ends) return plan.ends;
  return plan
    ? (steps.map((step) => plannedStatus(plan, step)).find((end) => end !== 'succeeded') ?? 'succeeded')
    : null;
}

/** Nobody asked for them, or whoever did was told no. */
function unexpectedSends({ sends }: Facts, index: Index): string[] {
  return sends.flatMap(({ tag, step }) => {
    const plan = index.plans.get(tag);
    const calls = index.calls.get(tag) ?? [];
    const wasRefused = calls.every(({ op, outcome }) => op !== 'submit' || outcome === 'fail');
    return plan?.steps[step] && !wasRefused ? [] : [`a call ${tag}/${step}`];
  });
}

function unexpectedRows({ rows }: Facts, index: Index): string[] {
  return rows.filter(({ tag }) => !index.plans.has(tag)).map((row) => `a row ${named(row)}`);
}

/** No step begins before the one it waits for was answered. */
function wrongOrder(plans: Plan[], index: Index): string[] {
  return plans.flatMap(({ tag, steps, parents = {} }) => {
    const ids = Object.keys(steps);
    const firstOf = (step: string) => index.sends.get(`${tag}/${step}`)?.[0]?.at ?? null;
    const isEarly = (step: string, n: number) => {
      const at = firstOf(step);
      const before = (parents[step] ?? ids.slice(Math.max(0, n - 1), n)).map(firstOf);
      return at !== null && before.some((parent) => parent === null || parent > at);
    };
    return ids.some(isEarly) ? [`${tag}: its steps ran out of order`] : [];
  });
}

function unstableKeys({ plans }: Facts, index: Index): string[] {
  return plans.flatMap((plan) =>
    Object.keys(plan.steps).flatMap((step) => {
      const sends = index.sends.get(`${plan.tag}/${step}`) ?? [];
      const keys = new Set(sends.map(({ key }) => key));
      const isOwn = plan.kind === 'run' || sends.every(({ key, job }) => key === job);
      return keys.size > 1 || keys.has('') || !isOwn ? [`${plan.tag}/${step}: ${[...keys].join(', ')}`] : [];
    }),
  );
}

function wrongTerminal({ rows, workflows }: Facts, index: Index, budget: Budget): string[] {
  return rows.flatMap((row) => {
    const plan = index.plans.get(row.tag);
    if (!plan || !isFinal(row)) return [];
    const wrongs = [
      ...wrongByPlan(row, plan, budget),
      ...wrongByOracle(row, plan, index),
      ...wrongByTemporal(row, workflows.get(row.id), budget),
    ];
    return wrongs.map((wrong) => `${named(row)}: ${wrong}`);
  });
}

function wrongByPlan({ status }: Row, plan: Plan, { alsoEnds = [] }: Budget): string[] {
  const planned = plannedEnd(plan);
  const mayBeUnknown = plan.delivery === 'atMostOnce' && status === 'unknown';
  return status === planned || mayBeUnknown || alsoEnds.includes(status) ? [] : [`planned was ${planned}`];
}

/** Success needs a request that was answered well; `unknown` needs at-most-once, and at most one request. */
function wrongByOracle({ status }: Row, { tag, steps }: Plan, index: Index): string[] {
  if (status !== 'succeeded') return [];
  return Object.keys(steps)
    .filter((step) => steps[step]?.sends === undefined)
    .filter((step) => !(index.sends.get(`${tag}/${step}`) ?? []).some(({ ok }) => ok))
    .map((step) => `the target has answered no ${step} with success`);
}

function wrongByTemporal({ kind, status }: Row, workflow: string | undefined, { alsoEnds = [] }: Budget): string[] {
  if (workflow === undefined) return [];
  if (workflow === 'RUNNING') return ['its workflow still runs'];
  if (kind === 'run' || alsoEnds.length > 0) return [];
  return (status === 'succeeded') === (workflow === 'COMPLETED') ? [] : [`its workflow is ${workflow}`];
}

function tooManyUnknown(unknown: Row[], budget: Budget): string[] {
  return unknown.length > budget.unknown ? [`${unknown.length} ended unknown, ${budget.unknown} may`] : [];
}

function reusedKeys(calls: Call[]): string[] {
  return calls
    .filter(({ op, outcome, detail }) => op === 'reuse' && outcome !== 'info' && detail !== 'idempotencyKeyReused')
    .map(({ tag, status }) => `${tag}: its key was taken for other content (${status})`);
}

/** From the end of a disturbance to the end of the jobs that were due before it and not final. */
function recovery({ rows, disturbances }: Facts, index: Index): Findings['recoveryMs'] {
  const delays = rows.flatMap((row) => {
    const plan = index.plans.get(row.tag);
    if (!plan || !isPlain(plan) || row.finishedAt === null) return [];
    const { finishedAt } = row;
    const dueAt = row.createdAt + plan.delayMs;
    const last = disturbances.findLast(({ healedAt }) => dueAt <= healedAt && healedAt < finishedAt);
    return last ? [finishedAt - last.healedAt] : [];
  });
  if (delays.length === 0) return null;
  delays.sort((a, b) => a - b);
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), count: delays.length };
}

/** Its target is not what keeps it. */
function isPlain({ kind, steps }: Plan): boolean {
  return kind === 'job' && Object.values(steps).every(({ behaviour }) => behaviour === 'well' || behaviour === 'slow');
}

export function quantile(sorted: number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

function named({ tag, id, status }: Row): string {
  return `${tag} (${id}, ${status})`;
}

export function groupBy<T, K>(items: T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
