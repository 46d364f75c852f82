// The two yardsticks: what the same call costs with Temporal alone.
import { startChild } from '../child.ts';
import type { Stage } from '../stage.ts';
import type { Done, System } from '../system.ts';

export async function startBaseline(kind: 'textbook' | 'floor', stage: Stage): Promise<System> {
  const child = await startChild(stage.entry('baseline-process'), {
    BASELINE: kind,
    RECEIVER_URL: stage.receiverUrl,
    TEMPORAL_ADDRESS: stage.temporalAddress,
    WORKFLOWS_PATH: stage.source('systems/baseline-workflows.ts'),
  });
  return {
    name: kind,
    suites: ['singles', 'latency'],
    groups: { process: [child.pid], temporal: stage.groups.temporal },
    run: (order) => child.ask<Done>(order),
    stop: child.stop,
  };
}
