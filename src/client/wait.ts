// Waits for a job, run or batch by asking again and again, each time as long as the service lets us.
import { durationMs } from './duration.ts';
import { sleep } from './sleep.ts';
import type { Transport } from './transport.ts';
import type { CreateAndWaitOptions, WaitOptions } from './types.ts';

const MAX_WAIT_SECONDS = 60;
/** An answer that comes early and is not final (a service going down) must not make us spin. */
const MIN_ROUND_MS = 500;

const FINAL = new Set(['succeeded', 'failed', 'canceled', 'expired', 'unknown', 'finished']);

interface Awaited {
  id: string;
  status: string;
}

export function isFinal(thing: { status: string }): boolean {
  return FINAL.has(thing.status);
}

export async function waitUntilFinal<Thing extends Awaited>(
  transport: Transport,
  path: string,
  { limit, ...options }: WaitOptions = {},
): Promise<Thing> {
  const endsAt = limit === undefined ? Infinity : performance.now() + durationMs(limit);
  for (;;) {
    const startedAt = performance.now();
    const seconds = waitSeconds(endsAt - startedAt);
    const call = { method: 'GET', path, query: { wait: `${seconds}s` }, waitMs: seconds * 1000 } as const;
    const thing = await transport.json<Thing>(call, options);
    if (isFinal(thing) || performance.now() >= endsAt) return thing;
    const restMs = Math.min(startedAt + MIN_ROUND_MS, endsAt) - performance.now();
    if (restMs > 0) await sleep(restMs, options.signal);
  }
}

/** Creates with `Prefer: wait`, so that a quick thing takes one call, then waits on. */
export async function createAndWait<Thing extends Awaited>(
  transport: Transport,
  { path, thingsPath = path, body }: { path: string; thingsPath?: string; body: unknown },
  { wait, ...options }: CreateAndWaitOptions = {},
): Promise<Thing> {
  if (wait === undefined) return transport.create<Thing>({ path, body }, options);
  const limitMs = wait === true ? Infinity : durationMs(wait);
  const startedAt = performance.now();
  const seconds = waitSeconds(limitMs);
  const headers = { prefer: `wait=${seconds}` };
  const thing = await transport.create<Thing>({ path, body, headers, waitMs: seconds * 1000 }, options);
  const restMs = limitMs - (performance.now() - startedAt);
  if (isFinal(thing) || restMs <= 0) return thing;
  const limit = restMs === Infinity ? undefined : `${Math.ceil(restMs)}ms`;
  return waitUntilFinal(transport, `${thingsPath}/${thing.id}`, { ...options, limit });
}

function waitSeconds(ms: number): number {
  return Math.max(1, Math.min(MAX_WAIT_SECONDS, Math.ceil(ms / 1000)));
}
