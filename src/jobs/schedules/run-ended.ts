// What the end of a run means for its schedule: counted once, and after too many failures in a row a pause.
import type { FinalJobStatus } from '../../contract/job.ts';
import type { Database } from '../../db/pool.ts';
import { countRun } from '../../db/ticks.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { changeSchedule } from './ledger.ts';

export async function endScheduledRun(
  deps: { db: Database; metrics: Metrics },
  runId: string,
  status: FinalJobStatus,
): Promise<void> {
  const counted = await countRun(deps.db, runId, status);
  if (!counted || counted.paused || counted.pauseAfterFailures === null) return;
  if (counted.consecutiveFailures < counted.pauseAfterFailures) return;
  await changeSchedule(deps, counted, ({ spec, paused, consecutiveFailures: failures }) => {
    const limit = spec.pauseAfterFailures;
    if (paused || limit === null || failures < limit) return null;
    return { spec, paused: true, note: `Paused after ${failures} failed ${failures === 1 ? 'run' : 'runs in a row'}.` };
  });
}
