// Says at start when Temporal forgets workflows too soon: operators look into the Web UI days after a failure.
import type { NativeConnection } from '@temporalio/worker';

import type { Logger } from '../telemetry/log.ts';

const DAY_SECONDS = 86_400;
const LEAST_DAYS = 7;

/** No more than a warning: what keeps a job from running twice is its row in PostgreSQL. Our own server keeps enough. */
export async function warnIfShortLived(
  { workflowService }: NativeConnection,
  namespace: string,
  log: Logger,
): Promise<void> {
  try {
    const { config } = await workflowService.describeNamespace({ namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    if (seconds >= LEAST_DAYS * DAY_SECONDS) return;
    log.warn(
      { namespace, days: seconds / DAY_SECONDS },
      `Temporal keeps ended workflows for less than ${LEAST_DAYS} days`,
    );
  } catch (error) {
    log.warn({ err: error, namespace }, 'the retention of the namespace is not known');
  }
}
