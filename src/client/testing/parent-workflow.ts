// A workflow as another service has it: it runs a job of Perdure's as its child.
import { executeChild, workflowInfo } from '@temporalio/workflow';

import { type HttpJob, jobWorkflow } from '../temporal.ts';

export async function chargeAsChild(url: string, perdureTaskQueue: string): Promise<string> {
  const { workflowId } = workflowInfo();
  const { status } = await executeChild<HttpJob>(
    ...jobWorkflow(
      { http: { url, body: { order: workflowId } }, labels: { by: 'shop' } },
      { workflowId: `${workflowId}-charge`, taskQueue: perdureTaskQueue, parentClosePolicy: 'ABANDON' },
    ),
  );
  return status;
}
