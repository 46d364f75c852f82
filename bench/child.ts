// A process of its own that takes orders: the receiver's and the baselines' side of it, and the harness's.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface Child {
  pid: number;
  /** What it said when it was ready. */
  ready: unknown;
  ask<Answer>(order: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

type Message = { id: number; answer?: unknown; error?: string };

const READY_WITHIN_MS = 120_000;
const END_WITHIN_MS = 2_000;

export async function startChild(file: string, environment: Record<string, string>): Promise<Child> {
  const child = fork(file, { env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment }, execArgv: [] });
  const pending = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  const ready = new Promise<unknown>((resolve, reject) => pending.set(0, { resolve, reject }));
  const timer = setTimeout(() => failAll(new Error(`${file} is not ready`)), READY_WITHIN_MS);
  const failAll = (error: Error) => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  child.on('message', ({ id, answer, error }: Message) => {
    const one = pending.get(id);
    pending.delete(id);
    if (error === undefined) one?.resolve(answer as never);
    else one?.reject(new Error(`${file}: ${error}`));
  });
  child.on('exit', (code) => failAll(new Error(`${file} ended with ${code}`)));
  try {
    const said = await ready;
    return {
      pid: child.pid ?? 0,
      ready: said,
      ask: <Answer>(order: unknown) =>
        new Promise<Answer>((resolve, reject) => {
          const id = ++lastId;
          pending.set(id, { resolve: resolve, reject });
          child.send({ id, order });
        }),
      stop: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** SIGTERM for those who have servers of their own; Temporal's SDK takes it for itself, and may need the other. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const cut = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
  await exited;
  clearTimeout(cut);
}

/** Inside the child: tells the parent that it is ready, then answers orders until it is ended. */
export function serveOrders<Order>(work: (order: Order) => Promise<unknown>, ready: unknown = null): void {
  const say = (message: Message) => process.send?.(message);
  process.on('message', ({ id, order }: { id: number; order: Order }) => {
    work(order).then(
      (answer) => say({ id, answer }),
      (error: unknown) => say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  // An orphan has nobody to answer to.
  process.on('disconnect', () => process.exit(1));
  say({ id: 0, answer: ready });
}
