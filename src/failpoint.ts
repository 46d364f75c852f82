// Points at which a process can be made to die, freeze or fail, to show that it may happen there; inert unless armed.
export const FAILPOINTS = [
  'accept.begin',
  'accept.uncommitted',
  'accept.committed',
  'carrier.begin',
  'carrier.started',
  'start.started',
  'start.marked',
  'relay.started',
  'rider.left',
  'attempt.begin',
  'attempt.claimed',
  'attempt.sent',
  'attempt.answered',
  'attempt.recorded',
  'attempt.done',
  'dependant.released',
  'cancel.settled',
  'notify.taken',
  'notify.sent',
  'redrive.uncommitted',
  'redrive.committed',
  'batch.uncommitted',
  'batch.committed',
  'batch.started',
  'lane.claimed',
  'lane.called',
  'lane.written',
  'run.accepted',
  'run.started',
  'run.begun',
  'run.recorded',
  'run.finished',
  'schedule.put',
  'schedule.triggered',
  'schedule.fired',
  'schedule.applied',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

const ACTIONS = ['exit', 'stop', 'throw'] as const;

export type FailpointAction = (typeof ACTIONS)[number];

export interface Failpoint {
  name: FailpointName;
  /** The how many-th time it is reached. */
  nth: number;
  action: FailpointAction;
}

let armed: Failpoint[] = [];

/** `name:nth:action`, or several with commas in between, each for when the one before has been reached. */
export function parseFailpoints(text: string): Failpoint[] | null {
  const parsed = text.split(',').map(parseFailpoint);
  return parsed.every((failpoint) => failpoint !== null) ? parsed : null;
}

function parseFailpoint(text: string): Failpoint | null {
  const [name, nth = '', action, ...more] = text.split(':');
  const isKnown = FAILPOINTS.includes(name as FailpointName) && ACTIONS.includes(action as Failpoint['action']);
  if (!isKnown || !/^[1-9]\d{0,8}$/.test(nth) || more.length > 0) return null;
  return { name: name as FailpointName, nth: Number(nth), action: action as Failpoint['action'] };
}

export function armFailpoints(failpoints: Failpoint[]): void {
  armed = failpoints.map((failpoint) => ({ ...failpoint }));
}

export function reach(name: FailpointName): void {
  const [next] = armed;
  if (next?.name !== name || --next.nth > 0) return;
  const { action } = next;
  armed.shift();
  // On its way before the process stops: what is written to a pipe or a file is written at once.
  process.stderr.write(`failpoint ${name}: ${action}\n`);
  if (action === 'throw') throw new Error(`failpoint ${name}`);
  // As a kernel would do it: nothing is flushed, no handler runs.
  process.kill(process.pid, action === 'exit' ? 'SIGKILL' : 'SIGSTOP');
}

/** For a point that lies behind what this turn of the event loop hands to the kernel. */
export function reachSoon(name: FailpointName): void {
  if (armed[0]?.name === name) setImmediate(() => reach(name));
}
