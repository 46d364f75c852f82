// Points at which a process can be made to die, freeze or fail, to show that it may happen there; inert unless armed.
export const FAILPOINTS = [
  'accept.begin',
  'accept.uncommitted',
  'accept.committed',
  'start.started',
  'start.marked',
  'relay.started',
  'attempt.begin',
  'attempt.claimed',
  'attempt.sent',
  'attempt.answered',
  'attempt.recorded',
  'attempt.done',
  'cancel.settled',
  'notify.taken',
  'notify.sent',
  'redrive.uncommitted',
  'redrive.committed',
  'batch.committed',
  'lane.claimed',
  'lane.called',
  'lane.written',
  'run.accepted',
  'run.begun',
  'run.recorded',
  'run.finished',
  'schedule.fired',
  'schedule.applied',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

const ACTIONS = ['exit', 'stop', 'throw'] as const;

export interface Failpoint {
  name: FailpointName;
  /** The how many-th time it is reached. */
  nth: number;
  action: (typeof ACTIONS)[number];
}

let armed: Failpoint | null = null;

/** `name:nth:action`; null when it is not that. */
export function parseFailpoint(text: string): Failpoint | null {
  const [name, nth = '', action, ...more] = text.split(':');
  const isKnown = FAILPOINTS.includes(name as FailpointName) && ACTIONS.includes(action as Failpoint['action']);
  if (!isKnown || !/^[1-9]\d{0,8}$/.test(nth) || more.length > 0) return null;
  return { name: name as FailpointName, nth: Number(nth), action: action as Failpoint['action'] };
}

export function armFailpoint(failpoint: Failpoint | null): void {
  armed = failpoint && { ...failpoint };
}

export function reach(name: FailpointName): void {
  if (armed?.name !== name || --armed.nth > 0) return;
  const { action } = armed;
  armed = null;
  if (action === 'throw') throw new Error(`failpoint ${name}`);
  // As a kernel would do it: nothing is flushed, no handler runs.
  process.kill(process.pid, action === 'exit' ? 'SIGKILL' : 'SIGSTOP');
}

/** For a point that lies behind what this turn of the event loop hands to the kernel. */
export function reachSoon(name: FailpointName): void {
  if (armed?.name === name) setImmediate(() => reach(name));
}
