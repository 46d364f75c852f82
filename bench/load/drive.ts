// Runs the actions at their pace, so many at a time at most, and counts what came of them.
import { setTimeout as sleep } from 'node:timers/promises';

import { PerdureError } from '../../src/client/index.ts';
import type { LoadContext } from './actions.ts';
import { actionsOf, type Profile } from './profiles.ts';

const AT_ONCE = 50;

export interface Driven {
  jobs: number;
  actions: number;
  /** By code; what never got an answer is `network` or `timeout`. */
  errors: Map<string, number>;
  firstError: string | null;
}

export async function drive(
  context: LoadContext,
  profile: Profile,
  { jobs, seconds, signal }: { jobs: number; seconds: number; signal: AbortSignal },
  driven: Driven,
): Promise<void> {
  const startedAt = performance.now();
  const underWay = new Set<Promise<void>>();
  let planned = 0;
  let nth = 0;
  for (const action of actionsOf(profile, jobs)) {
    const at = profile.paced ? (planned / jobs) * seconds * 1_000 : 0;
    const aheadMs = at - (performance.now() - startedAt);
    if (aheadMs > 1) await sleep(aheadMs, undefined, { signal }).catch(() => {});
    if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    // The time is a limit also for those that keep no pace.
    if (signal.aborted || performance.now() - startedAt > seconds * 1_000) break;
    planned += action.jobs;
    const running = action
      .run(context, nth++)
      .then(() => {
        driven.jobs += action.jobs;
        driven.actions += 1;
      })
      .catch((error: unknown) => note(driven, error))
      .finally(() => underWay.delete(running));
    underWay.add(running);
  }
  await Promise.all(underWay);
}

function note(driven: Driven, error: unknown): void {
  const { errors } = driven;
  const code = error instanceof PerdureError ? error.code : 'internal';
  errors.set(code, (errors.get(code) ?? 0) + 1);
  driven.firstError ??= String(error);
}
