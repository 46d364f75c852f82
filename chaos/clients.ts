// The clients: they submit what was planned, and when nobody knows what became of it they ask again under the same key.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Call, History } from './history.ts';
import type { Plan } from './plan.ts';

export interface ClientOptions {
  apiUrl: string;
  clients: number;
  /** Plans begun per second at most. */
  perSecond: number;
  history: History;
  /** One that has no definite answer by then gives up. */
  patienceMs?: number;
  /** From then on they ask for nothing. */
  signal?: AbortSignal;
}

const CALL_TIMEOUT_MS = 15_000;
const RETRY_PAUSE_MS = 250;

/** Resolves when each plan has a definite answer, or its client has lost patience. */
export async function submitAll(plans: Plan[], options: ClientOptions): Promise<void> {
  let next = 0;
  let nextAt = performance.now();
  /** What was late is not made up for: a burst after each disturbance would be a fault of its own. */
  const turn = async () => {
    const now = performance.now();
    const at = Math.max(nextAt, now);
    nextAt = at + 1_000 / options.perSecond;
    if (at > now) await sleep(at - now);
  };
  const client = async () => {
    for (let n = next++; n < plans.length && !options.signal?.aborted; n = next++) {
      await turn();
      const plan = plans[n];
      if (plan) await submit(plan, options);
    }
  };
  await Promise.all(Array.from({ length: options.clients }, client));
}

export async function submit(plan: Plan, options: Omit<ClientOptions, 'clients' | 'perSecond'>): Promise<void> {
  const { tag, key, body } = plan;
  const once = () => persist(plan, { tag, key, op: 'submit' }, body, options);
  const calls = await Promise.all(Array.from({ length: plan.copies }, once));
  const isTaken = calls.some(({ outcome }) => outcome === 'ok');
  if (plan.reusesKey && isTaken) await persist(plan, { tag, key, op: 'reuse' }, { ...body, priority: 5 }, options);
}

async function persist(
  { kind }: Plan,
  about: Parameters<History['record']>[0],
  body: object,
  { apiUrl, history, signal, patienceMs = 60_000 }: Omit<ClientOptions, 'clients' | 'perSecond'>,
): Promise<Call> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const call = await history.record(about, () =>
      fetch(`${apiUrl}/v1/${kind}s`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': about.key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      }),
    );
    if (call.outcome !== 'info' || performance.now() > endsAt || signal?.aborted) return call;
    await sleep(RETRY_PAUSE_MS);
  }
}
