// Where processes are made to die, fail or freeze: every failpoint, and the uses of the product that come by it.
import type { FailpointAction, FailpointName } from '../../src/failpoint.ts';
import type { Role } from '../ground.ts';
import type { SCENARIOS } from '../scenarios.ts';

export type ScenarioName = keyof typeof SCENARIOS;

export interface CrashPoint {
  name: FailpointName;
  role: Role;
  scenarios: readonly [ScenarioName, ...ScenarioName[]];
  /** The API dies there first, so that there is something for the relay. */
  apiDiesAt?: FailpointName;
  /** There is no worker until everything waits for it. */
  comesLate?: true;
}

export interface Crash {
  /** By which it is asked for, such as `worker:attempt.sent@once:stop`. */
  label: string;
  point: CrashPoint;
  scenario: ScenarioName;
  /** One after the other in the same process: after a `throw` it lives on. */
  actions: readonly FailpointAction[];
  time: number;
}

const API: Omit<CrashPoint, 'role'>[] = [
  { name: 'accept.begin', scenarios: ['job'] },
  { name: 'accept.uncommitted', scenarios: ['dependant'] },
  { name: 'accept.committed', scenarios: ['job', 'once'] },
  { name: 'start.started', scenarios: ['job', 'once'] },
  { name: 'start.marked', scenarios: ['delayed'] },
  { name: 'carrier.begin', scenarios: ['shared'] },
  { name: 'carrier.started', scenarios: ['shared'] },
  { name: 'cancel.settled', scenarios: ['canceled'] },
  { name: 'redrive.uncommitted', scenarios: ['redriven'] },
  { name: 'redrive.committed', scenarios: ['redriven'] },
  { name: 'batch.uncommitted', scenarios: ['batch'] },
  { name: 'batch.committed', scenarios: ['batch'] },
  { name: 'batch.started', scenarios: ['batch'] },
  { name: 'run.accepted', scenarios: ['run'] },
  { name: 'run.started', scenarios: ['run'] },
  { name: 'schedule.put', scenarios: ['scheduled'] },
  { name: 'schedule.triggered', scenarios: ['triggered'] },
];

const WORKER: Omit<CrashPoint, 'role'>[] = [
  // First, because a webhook that nobody confirmed is sent again after a minute.
  { name: 'notify.taken', scenarios: ['notified'] },
  { name: 'notify.sent', scenarios: ['notified'] },
  { name: 'relay.started', scenarios: ['job'], apiDiesAt: 'accept.committed' },
  { name: 'carrier.started', scenarios: ['shared'], apiDiesAt: 'carrier.begin' },
  { name: 'batch.started', scenarios: ['batch'], apiDiesAt: 'batch.committed' },
  { name: 'run.started', scenarios: ['run'], apiDiesAt: 'run.accepted' },
  { name: 'rider.left', scenarios: ['stranded'], comesLate: true },
  { name: 'attempt.begin', scenarios: ['job', 'once'] },
  { name: 'attempt.claimed', scenarios: ['job', 'once', 'run'] },
  { name: 'attempt.sent', scenarios: ['once', 'job'] },
  { name: 'attempt.answered', scenarios: ['once', 'job', 'run'] },
  { name: 'attempt.recorded', scenarios: ['job', 'retried', 'rejected'] },
  { name: 'attempt.done', scenarios: ['job', 'rejected'] },
  { name: 'dependant.released', scenarios: ['dependant'] },
  { name: 'lane.claimed', scenarios: ['shared', 'batch'] },
  { name: 'lane.called', scenarios: ['shared', 'batch'] },
  { name: 'lane.written', scenarios: ['shared', 'batch'] },
  { name: 'run.begun', scenarios: ['run'] },
  { name: 'run.recorded', scenarios: ['waiting'] },
  { name: 'run.finished', scenarios: ['run'] },
  { name: 'schedule.applied', scenarios: ['scheduled'] },
  { name: 'schedule.fired', scenarios: ['scheduled'] },
];

/** Where API and worker are one process, workflows begin in it without a way through the server. */
const START: Omit<CrashPoint, 'role'>[] = [
  { name: 'start.started', scenarios: ['job'] },
  { name: 'carrier.started', scenarios: ['shared'] },
  { name: 'attempt.claimed', scenarios: ['job'] },
];

export const POINTS: CrashPoint[] = [
  ...API.map((point) => ({ ...point, role: 'api' as const })),
  ...WORKER.map((point) => ({ ...point, role: 'worker' as const })),
  ...START.map((point) => ({ ...point, role: 'start' as const })),
];

/** Of each point; where several uses of the product come by, shared among them. */
export const TIMES = 20;
/** Which of the twenty: with each number of scenarios the freezes meet different ones. */
const STOPS = [7, 20];
/** … and with which three begin, of which two fail before the third dies. */
const TRIOS = [1, 4, 8, 11, 14, 17];

/** Of a short run, besides every point once by `exit`. */
const SHORT_STOPS = ['api:accept.uncommitted', 'api:carrier.begin', 'worker:attempt.answered', 'worker:lane.called'];
const SHORT_THROWS = ['api:accept.committed', 'worker:attempt.answered', 'worker:lane.called', 'worker:run.finished'];

/** What a short run leaves out it plays when asked for. */
export function plannedCrashes(isShort: boolean, wanted: readonly string[]): Crash[] {
  const isAsked = ({ label }: Crash) => wanted.length === 0 || wanted.some((part) => label.includes(part));
  const planned = POINTS.flatMap(isShort ? shortOf : fullOf).filter(isAsked);
  return planned.length > 0 ? planned : POINTS.flatMap(everyOf).filter(isAsked);
}

function shortOf(point: CrashPoint): Crash[] {
  const { role, name, scenarios } = point;
  const isAmong = (list: string[]) => list.includes(`${role}:${name}`);
  return [
    crashAt(point, scenarios[0], isAmong(SHORT_THROWS) ? ['throw', 'exit'] : ['exit'], 1),
    ...(isAmong(SHORT_STOPS) ? [crashAt(point, scenarios[0], ['stop'], 1)] : []),
  ];
}

function everyOf(point: CrashPoint): Crash[] {
  return point.scenarios.flatMap((scenario) =>
    (['exit', 'throw', 'stop'] as const)
      .filter((action) => isPossible(point, action))
      .map((action) => crashAt(point, scenario, [action], 1)),
  );
}

function fullOf(point: CrashPoint): Crash[] {
  const { scenarios } = point;
  const crashes: Crash[] = [];
  const times = Math.ceil(TIMES / POINTS.filter(({ name }) => name === point.name).length);
  for (let time = 1; time <= times;) {
    const scenario = scenarios[crashes.length % scenarios.length] ?? scenarios[0];
    const actions = actionsOf(point, time);
    crashes.push(crashAt(point, scenario, actions, time));
    time += actions.length;
  }
  return crashes;
}

function actionsOf(point: CrashPoint, time: number): FailpointAction[] {
  if (STOPS.includes(time)) return [isPossible(point, 'stop') ? 'stop' : 'exit'];
  if (!isPossible(point, 'throw')) return ['exit'];
  // Where the others are made anew for each.
  if (point.apiDiesAt || point.comesLate) return [time % 2 === 0 ? 'throw' : 'exit'];
  return TRIOS.includes(time) ? ['throw', 'throw', 'exit'] : ['exit'];
}

function isPossible({ name, role }: CrashPoint, action: FailpointAction): boolean {
  // Frozen whole, nobody is left who could take over.
  if (action === 'stop') return role !== 'start';
  // That one lies outside of any code that could catch it.
  return action === 'exit' || name !== 'attempt.sent';
}

function crashAt(point: CrashPoint, scenario: ScenarioName, actions: readonly FailpointAction[], time: number): Crash {
  return { label: `${point.role}:${point.name}@${scenario}:${actions.join('+')}`, point, scenario, actions, time };
}
