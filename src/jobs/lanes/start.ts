// Starts the workflow of a carrier; the relay does it again where this one does not arrive.
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

import { RUN_CARRIER } from '../../contract/temporal.ts';
import { reach } from '../../failpoint.ts';
import type { Logger } from '../../telemetry/log.ts';
import { ofTenant } from '../of-tenant.ts';
import { CARRIER_INPUT, type Rider } from './carriers.ts';

/** After a failed start the relay is left to it, instead of a queue behind a dead connection. */
const COOL_DOWN_MS = 1_000;

export interface CarrierStarter {
  /** True when the workflow exists now. Idempotent: its id is the carrier's. */
  start(carrierId: string, rider: Rider): Promise<boolean>;
}

export function createCarrierStarter(deps: { client: Client; taskQueue: string; log: Logger }): CarrierStarter {
  const { client, taskQueue, log } = deps;
  let restUntil = 0;
  return {
    async start(carrierId, { tenant, spec }) {
      if (Date.now() < restUntil) return false;
      try {
        reach('carrier.begin');
        await client.withDeadline(Date.now() + 5_000, () =>
          client.workflow.start(RUN_CARRIER, {
            workflowId: carrierId,
            taskQueue,
            args: [CARRIER_INPUT],
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'USE_EXISTING',
            ...ofTenant(tenant, { priorityKey: spec.priority }),
          }),
        );
        reach('carrier.started');
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return true;
        restUntil = Date.now() + COOL_DOWN_MS;
        log.warn({ carrierId, err: error }, 'carrier not started; the relay will try again');
        return false;
      }
    },
  };
}
