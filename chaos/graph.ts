// A workflow of ten steps whose middle one fails or whose worker dies, and what of it has to run then.
import { type BehaviourName, behaviourPath } from './behaviours.ts';
import type { Delivery, Plan, PlannedStep } from './plan.ts';

/** What a failure in the middle means for the rest: all undone, nothing undone, or on as if nothing had been. */
export const POLICIES = ['compensate', 'stop', 'continue'] as const;
export type Policy = (typeof POLICIES)[number];

/** A way in which the middle step fails for good. */
export interface Way {
  behaviour: BehaviourName;
  delivery: Delivery;
  /** What its error has to say. */
  code: string;
}

export interface Graph {
  plan: Plan;
  /** How each step has to end: its status, and the code of its error. */
  ends: Record<string, string>;
}

/** What each waits for, in an order in which they may run. */
const DEPENDS_ON = {
  top: [],
  left: ['top'],
  middle: ['top'],
  right: ['top'],
  join: ['left', 'middle'],
  beyond: ['join'],
  far: ['right'],
  always: ['join'],
  rescue: ['middle'],
} as const satisfies Record<string, string[]>;
type StepName = keyof typeof DEPENDS_ON;

const RUN_WHEN: Partial<Record<StepName, string>> = { always: 'allDone', rescue: 'anyFailed' };
/** In the order in which they are undone: nothing but `top` is before `left`. */
const UNDONE: StepName[] = ['left', 'top'];
const WELL: PlannedStep = { behaviour: 'well', times: 0 };
const NEVER: PlannedStep = { ...WELL, sends: 0 };
const MAX_ATTEMPTS = 2;
/** Where workers die: each death uses one up. */
const ATTEMPTS_UNDER_KILLS = 50;

/** Every call of it, those that undo included. */
export const CALLS = [...Object.keys(DEPENDS_ON), ...UNDONE.map((id) => `${id}-undo`)];
/** Those of them that are made only when the middle fails. */
export const CALLS_AFTER_FAILURE = ['rescue', ...UNDONE.map((id) => `${id}-undo`)];

export function createGraph(
  tag: string,
  oracleUrl: string,
  /** `way` null: nothing fails. */
  { policy, way, slow }: { policy: Policy; way: Way | null; slow?: { call: string; ms: number } },
): Graph {
  const hasFailed = way !== null && policy !== 'continue';
  const calls: Record<string, PlannedStep> = {};
  const ends: Record<string, string> = {};
  for (const id of Object.keys(DEPENDS_ON) as StepName[]) {
    const isSkipped = hasFailed && (id === 'join' || id === 'beyond');
    calls[id] = isSkipped ? NEVER : WELL;
    ends[id] = isSkipped ? 'skipped dependencyFailed' : 'succeeded';
  }
  if (way) {
    calls.middle = { behaviour: way.behaviour, times: 99, sends: sendsOf(way) };
    ends.middle = `failed ${way.code}`;
  } else {
    calls.rescue = NEVER;
    ends.rescue = 'skipped';
  }
  const isUndone = hasFailed && policy === 'compensate';
  for (const id of UNDONE) {
    calls[`${id}-undo`] = isUndone ? WELL : NEVER;
    if (isUndone) ends[id] = 'compensated';
  }
  if (slow && calls[slow.call] === WELL) calls[slow.call] = { behaviour: 'slow', times: slow.ms };
  const plan: Plan = {
    ...{ tag, key: `key-${tag}`, kind: 'run', delivery: 'atLeastOnce', delayMs: 0, copies: 1, reusesKey: false },
    body: {
      labels: { tag },
      definition: definitionOf(tag, oracleUrl, {
        policy,
        way,
        calls,
        maxAttempts: slow ? ATTEMPTS_UNDER_KILLS : MAX_ATTEMPTS,
      }),
    },
    steps: calls,
    parents: parentsOf(calls),
    ends: hasFailed ? 'failed' : 'succeeded',
  };
  return { plan, ends };
}

/** How often it is called before it is given up: what cannot pass, or may not be made again, once. */
function sendsOf({ behaviour, delivery }: Way): number {
  return behaviour === 'tooLarge' || delivery === 'atMostOnce' ? 1 : MAX_ATTEMPTS;
}

function definitionOf(
  tag: string,
  oracleUrl: string,
  given: { policy: Policy; way: Way | null; calls: Record<string, PlannedStep>; maxAttempts: number },
): object {
  const { policy, way, calls, maxAttempts } = given;
  const http = (call: string) => ({
    method: 'POST',
    url: `${oracleUrl}${behaviourPath(tag, call, calls[call] ?? WELL)}`,
    // A target that hangs is given up soon.
    timeout: call === 'middle' && way ? '1s' : '10s',
  });
  return {
    defaults: { retry: { maxAttempts, initialInterval: '100ms' } },
    onFailure: policy === 'compensate' ? 'compensate' : 'stop',
    steps: (Object.entries(DEPENDS_ON) as [StepName, readonly string[]][]).map(([id, dependsOn]) => ({
      ...{ id, dependsOn, http: http(id), runWhen: RUN_WHEN[id] ?? 'allSucceeded' },
      ...(UNDONE.includes(id) ? { compensate: { http: http(`${id}-undo`) } } : {}),
      ...(id === 'middle'
        ? { delivery: way?.delivery ?? 'atLeastOnce', onError: policy === 'continue' ? 'continue' : 'fail' }
        : {}),
    })),
  };
}

/** For each call those that have to come before it, of those that are made. */
function parentsOf(calls: Record<string, PlannedStep>): Record<string, string[]> {
  const isMade = (id: string) => calls[id] !== NEVER;
  const nearest = (id: StepName): string[] =>
    DEPENDS_ON[id].flatMap((before) => (isMade(before) ? [before] : nearest(before)));
  const ids = Object.keys(DEPENDS_ON) as StepName[];
  return {
    ...Object.fromEntries(ids.map((id) => [id, nearest(id)])),
    'left-undo': ids.filter(isMade),
    'top-undo': ['left-undo'],
  };
}
