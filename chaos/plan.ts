// What the clients are going to ask for: jobs, chains and delayed jobs, some submitted several times under one key.
import { behaviour, type BehaviourName, behaviourPath } from './behaviours.ts';
import { createRandom, type Random } from './random.ts';

export type Delivery = 'atLeastOnce' | 'atMostOnce';

export interface PlannedStep {
  behaviour: BehaviourName;
  /** So many calls go wrong before one is answered well; of a target that rejects, all. */
  times: number;
  /** Of a step that gives up, or that must not run: so many requests and no success. Else its behaviour says it. */
  sends?: number;
}

export interface Plan {
  /** In the label of the job or run and in the path of its calls: what ties rows, calls and requests together. */
  tag: string;
  kind: 'job' | 'run';
  key: string;
  body: Record<string, unknown>;
  delivery: Delivery;
  /** In the order in which they have to run. */
  steps: Record<string, PlannedStep>;
  /** Of steps that do not wait for the one before them: for which of those that run. */
  parents?: Record<string, string[]>;
  /** How it ends, where that is not how its first step without success ends. */
  ends?: string;
  delayMs: number;
  /** Submissions of the same content under the same key, at the same moment. */
  copies: number;
  /** Afterwards the key is used once more, for other content. */
  reusesKey: boolean;
}

export interface Mix {
  /** Of all jobs. */
  atMostOnce: number;
  /** Of all jobs, for the shared lane; those that are at most once or delayed get a workflow of their own all the same. */
  shared: number;
  /** Of all jobs, with one of these. */
  misbehaving: number;
  behaviours: readonly [BehaviourName, ...BehaviourName[]];
  chains: number;
  delayed: number;
  /** How long a well-behaved target takes. */
  slowMs: number;
  /** More fields of each job. */
  fields: Record<string, unknown>;
}

export const DEFAULT_MIX: Mix = {
  atMostOnce: 0.3,
  shared: 0.8,
  misbehaving: 0.05,
  behaviours: ['status503'],
  chains: 0.1,
  delayed: 0.1,
  slowMs: 0,
  fields: {},
};

/** For faults that need many jobs: most of them the cheap kind, of each other kind still hundreds. */
export const MANY: Partial<Mix> = { shared: 1, atMostOnce: 0.1, delayed: 0.05, chains: 0.03 };

const RETRY = { maxAttempts: 10, initialInterval: '200ms', maxInterval: '2s' };
const CHAIN = ['first', 'second', 'third'];
const COPIES = 5;

export function makePlans(
  name: string,
  count: number,
  { seed, oracleUrl, mix = {} }: { seed: number; oracleUrl: string; mix?: Partial<Mix> },
): Plan[] {
  const random = createRandom(seed);
  const all = { ...DEFAULT_MIX, ...mix };
  return Array.from({ length: count }, (_, n) => makePlan(`${name}-${n}`, oracleUrl, random, all));
}

export function makePlan(tag: string, oracleUrl: string, random: Random, mix: Mix): Plan {
  const shared = {
    tag,
    key: `key-${tag}`,
    copies: random.isBelow(0.2) ? COPIES : 1,
    reusesKey: random.isBelow(0.05),
  };
  if (random.isBelow(mix.chains)) return chainPlan(shared, oracleUrl, mix);
  const delivery: Delivery = random.isBelow(mix.atMostOnce) ? 'atMostOnce' : 'atLeastOnce';
  const isGet = random.isBelow(0.25);
  const delayMs = random.isBelow(mix.delayed) ? random.between(500, 3_000) : 0;
  const step: PlannedStep = random.isBelow(mix.misbehaving)
    ? { behaviour: random.pick(mix.behaviours), times: random.between(1, 2) }
    : { behaviour: mix.slowMs > 0 ? 'slow' : 'well', times: mix.slowMs };
  const body = {
    name: tag,
    labels: { tag },
    delivery,
    retry: RETRY,
    http: {
      method: isGet ? 'GET' : 'POST',
      url: `${oracleUrl}${behaviourPath(tag, 'call', step)}`,
      timeout: '5s',
      ...(isGet ? {} : { body: { tag, filler: 'x'.repeat(random.between(0, 500)) } }),
    },
    ...(delayMs > 0 ? { delay: `${delayMs}ms` } : {}),
    ...(random.isBelow(mix.shared) ? { lane: 'shared' } : {}),
    ...mix.fields,
  };
  return { ...shared, kind: 'job', body, delivery, steps: { call: step }, delayMs };
}

function chainPlan(shared: Pick<Plan, 'tag' | 'key' | 'copies' | 'reusesKey'>, oracleUrl: string, mix: Mix): Plan {
  const { tag } = shared;
  const step: PlannedStep = { behaviour: mix.slowMs > 0 ? 'slow' : 'well', times: mix.slowMs };
  const steps = CHAIN.map((id, at) => ({
    id,
    ...(at > 0 ? { dependsOn: [CHAIN[at - 1]] } : {}),
    http: {
      method: 'POST',
      url: `${oracleUrl}${behaviourPath(tag, id, step)}`,
      body: { tag },
      timeout: '5s',
    },
    retry: RETRY,
  }));
  return {
    ...shared,
    kind: 'run',
    body: { labels: { tag }, definition: { steps } },
    delivery: 'atLeastOnce',
    steps: Object.fromEntries(CHAIN.map((id) => [id, step])),
    delayMs: 0,
  };
}

/** Requests that the target has to see when nothing but the target goes wrong. */
export function plannedSends(
  { delivery }: Pick<Plan, 'delivery'>,
  { behaviour: name, times, sends }: PlannedStep,
): number {
  if (sends !== undefined) return sends;
  const { effect } = behaviour(name);
  if (effect === 'ok' || effect === 'rejected') return 1;
  return effect === 'refused' || delivery === 'atLeastOnce' ? times + 1 : 1;
}

/** How the job ends when nothing but the target goes wrong. */
export function plannedStatus({ delivery }: Pick<Plan, 'delivery'>, { behaviour: name }: PlannedStep): string {
  const { effect } = behaviour(name);
  if (effect === 'rejected') return 'failed';
  if (effect === 'ok' || effect === 'refused' || delivery === 'atLeastOnce') return 'succeeded';
  return effect === 'unknown' ? 'unknown' : 'failed';
}
