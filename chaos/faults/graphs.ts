// Workflows in which a step fails in every way there is, and workers that die at every step.
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../../src/testing/api.ts';
import { submit } from '../clients.ts';
import type { Fault, Scene } from '../fault.ts';
import { CALLS, CALLS_AFTER_FAILURE, createGraph, type Graph, POLICIES, type Way } from '../graph.ts';
import { readSends } from '../ledger.ts';
import type { Send } from '../oracle.ts';
import { plannedSends } from '../plan.ts';

const WAYS: Way[] = [
  { behaviour: 'tooLarge', delivery: 'atLeastOnce', code: 'httpStatus' },
  { behaviour: 'status500', delivery: 'atLeastOnce', code: 'httpStatus' },
  { behaviour: 'status503', delivery: 'atLeastOnce', code: 'httpStatus' },
  { behaviour: 'unavailable', delivery: 'atLeastOnce', code: 'httpStatus' },
  { behaviour: 'busy', delivery: 'atLeastOnce', code: 'httpStatus' },
  { behaviour: 'fin', delivery: 'atLeastOnce', code: 'network' },
  { behaviour: 'rst', delivery: 'atLeastOnce', code: 'network' },
  { behaviour: 'garbage', delivery: 'atLeastOnce', code: 'network' },
  { behaviour: 'hang', delivery: 'atLeastOnce', code: 'timeout' },
  { behaviour: 'status500', delivery: 'atMostOnce', code: 'httpStatus' },
  { behaviour: 'fin', delivery: 'atMostOnce', code: 'outcomeUnknown' },
  { behaviour: 'rst', delivery: 'atMostOnce', code: 'outcomeUnknown' },
  { behaviour: 'garbage', delivery: 'atMostOnce', code: 'outcomeUnknown' },
  { behaviour: 'hang', delivery: 'atMostOnce', code: 'outcomeUnknown' },
];

/** Of each way with each policy: 14 × 3 × 7 runs are more than 14 × 20. */
const TIMES = { short: 1, full: 7 };
/** In each call a worker dies that often, in so many rounds at most. */
const HITS = { short: 1, full: 20 };
const ROUNDS = { short: 1, full: 12 };
/** In each round so many runs for each call in which workers are to die. */
const RUNS_PER_CALL = { short: 1, full: 4 };
const AT_ONCE = 20;
/** Long enough that in all runs of a round that call is under way when the workers die, or else longer the next time. */
const SLOW_MS = { first: 3_000, longest: 8_000 };
const FAILING = { behaviour: 'tooLarge', delivery: 'atLeastOnce', code: 'httpStatus' } as const;
const ENDS_WITHIN_MS = 120_000;

export const GRAPH_FAULTS: Fault[] = [createGraphFault()];

function createGraphFault(): Fault {
  const graphs: Graph[] = [];
  const kills: number[] = [];
  return {
    id: 'F32',
    company: 'patient',
    mostMinutes: 20,
    title: `Workflows whose middle step fails in ${WAYS.length} ways; workers killed at each of ${CALLS.length} calls`,
    jobs: { short: 0, full: 0 },
    async disturb(scene) {
      await failEachWay(scene, graphs);
      const size = scene.isShort ? 'short' : 'full';
      const hits = new Map(CALLS.map((call) => [call, 0]));
      const missing = () => CALLS.filter((call) => (hits.get(call) ?? 0) < HITS[size]);
      let slowMs = SLOW_MS.first;
      for (let round = 1; round <= ROUNDS[size] && missing().length > 0; round++) {
        const wereAll = await killAtEachCall(scene, round, { graphs, kills, hits, slowMs });
        if (!wereAll) slowMs = SLOW_MS.longest;
        Object.assign(scene.figures, { kills: kills.length, leastHits: Math.min(...hits.values()) });
      }
      // A short run has one try, and the machine may be too busy to have all of them under way at once.
      if (!scene.isShort && missing().length > 0) scene.complain(`too few workers died during ${missing().join(', ')}`);
    },
    async afterwards(scene) {
      const tags = new Set(graphs.map(({ plan }) => plan.tag));
      const sends = readSends(scene.world, (tag) => tags.has(tag));
      for (const graph of graphs) {
        const own = sends.filter(({ tag }) => tag === graph.plan.tag);
        for (const wrong of [...wrongSends(graph, own, kills), ...(await wrongEnds(scene, graph, own))]) {
          scene.complain(`${graph.plan.tag}: ${wrong}`);
        }
      }
    },
    budget: ({ isShort }) => {
      // Beside the call that is meant, others of the same run may be under way; which, is looked at above.
      const most = kills.length * CALLS.length * RUNS_PER_CALL[isShort ? 'short' : 'full'] * 2;
      return { dupSends: { atLeastOnce: most, atMostOnce: 0 }, unknown: 0 };
    },
  };
}

async function failEachWay(scene: Scene, graphs: Graph[]): Promise<void> {
  const { world, isShort } = scene;
  const times = TIMES[isShort ? 'short' : 'full'];
  const waiting = WAYS.flatMap((way) =>
    POLICIES.flatMap((policy) => Array.from({ length: times }, () => ({ way, policy }))),
  );
  const lane = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const graph = createGraph(`F32x${waiting.length}`, world.oracle.url, next);
      graphs.push(graph);
      await begin(scene, graph);
      await ended(scene, graph);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

interface Killing {
  graphs: Graph[];
  kills: number[];
  /** How often a worker has died during each call. */
  hits: Map<string, number>;
  slowMs: number;
}

/**
 * A few runs for each call, all begun at once, so that they are in the middle of that call when all workers die. False
 * when not all of them were.
 */
async function killAtEachCall(scene: Scene, round: number, { graphs, kills, hits, slowMs }: Killing): Promise<boolean> {
  const { world, ground } = scene;
  const runs = CALLS.flatMap((call) =>
    Array.from({ length: RUNS_PER_CALL[scene.isShort ? 'short' : 'full'] }, (_, n) => ({
      call,
      graph: createGraph(`F32x${call}x${round}x${n}`, world.oracle.url, {
        ...{ policy: 'compensate', slow: { call, ms: slowMs } },
        way: CALLS_AFTER_FAILURE.includes(call) ? FAILING : null,
      }),
    })),
  );
  graphs.push(...runs.map(({ graph }) => graph));
  await Promise.all(runs.map(({ graph }) => begin(scene, graph)));
  const underWay = () => {
    const sends = readSends(world, (tag) => tag.startsWith('F32x'));
    const since = Date.now() - slowMs;
    return runs.filter(({ call, graph: { plan } }) =>
      sends.some(({ tag, step, at }) => tag === plan.tag && step === call && at > since),
    );
  };
  await eventually(() => underWay().length === runs.length, { timeoutMs: slowMs }).catch(() => false);
  const hit = underWay();
  for (const { call } of hit) hits.set(call, (hits.get(call) ?? 0) + 1);
  kills.push(Date.now());
  await Promise.all([ground.end('worker', 'SIGKILL'), ground.end('worker', 'SIGKILL')]);
  const at = Date.now();
  await Promise.all([ground.startPatiently('worker'), ground.startPatiently('worker')]);
  scene.healed(at);
  // Most rounds fall into the recovery of the one before.
  if (round % 3 === 0) await Promise.all(runs.map(({ graph }) => ended(scene, graph)));
  return hit.length === runs.length;
}

async function begin(scene: Scene, { plan }: Graph): Promise<void> {
  scene.plans.push(plan);
  await submit(plan, { apiUrl: scene.ground.apiUrl, history: scene.history });
}

function runIdOf({ history }: Scene, { plan }: Graph): string {
  const id = history.calls.find(({ tag, outcome }) => tag === plan.tag && outcome === 'ok')?.id;
  if (!id) throw new Error(`${plan.tag} was not accepted`);
  return id;
}

async function ended(scene: Scene, graph: Graph): Promise<void> {
  const { runs } = scene.ground.perdure;
  const id = runIdOf(scene, graph);
  const isOver = async () => (await runs.get(id)).finishedAt !== null;
  const endsAt = Date.now() + ENDS_WITHIN_MS;
  while (!(await isOver()) && Date.now() < endsAt) await sleep(200);
}

/** Exactly what was planned, or once more for each kill; and nothing before what it waits for has ended. */
function wrongSends({ plan }: Graph, sends: Send[], kills: number[]): string[] {
  const of = (call: string) => sends.filter(({ step }) => step === call).map(({ at }) => at);
  return Object.entries(plan.steps).flatMap(([call, planned]) => {
    const times = of(call);
    const excused = times.filter((at, n) => n > 0 && kills.some((kill) => (times[n - 1] ?? 0) <= kill && kill < at));
    const tooMany = times.length - plannedSends(plan, planned) - excused.length;
    const late = (plan.parents?.[call] ?? []).filter(
      (parent) => (of(parent).at(-1) ?? Infinity) > (times[0] ?? Infinity),
    );
    return [
      ...(tooMany > 0 ? [`${call} was called ${times.length} times`] : []),
      ...(times.length < plannedSends(plan, planned) ? [`${call} was called ${times.length} times only`] : []),
      ...late.map((parent) => `${parent} was called after ${call}, which waits for it`),
    ];
  });
}

/** As the run tells it: how each step ended, under which keys it called, and that none succeeded twice. */
async function wrongEnds(scene: Scene, graph: Graph, sends: Send[]): Promise<string[]> {
  const id = runIdOf(scene, graph);
  const run = await scene.ground.perdure.runs.get(id);
  const wrongs: string[] = [];
  for (const { id: step, status, error } of run.steps) {
    const end = [status, ...(error ? [error.code] : [])].join(' ');
    if (end !== graph.ends[step]) wrongs.push(`${step} is ${end}, not ${graph.ends[step]}`);
    const path = `${scene.ground.apiUrl}/v1/runs/${id}/steps/${step}/attempts`;
    const { items } = (await (await fetch(path)).json()) as { items: { httpStatus: number | null }[] };
    const successes = items.filter(({ httpStatus }) => httpStatus === 200).length;
    // To be undone is a call of the step, too.
    if (successes > (status === 'compensated' ? 2 : 1)) wrongs.push(`${step} succeeded ${successes} times`);
  }
  for (const { step, key } of sends) {
    const expected = `${id}/${step.replace('-undo', '/compensate')}`;
    if (key !== expected) wrongs.push(`${step} was called under the key ${key}`);
  }
  return wrongs;
}
