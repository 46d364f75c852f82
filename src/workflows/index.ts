// The one file the workflow bundle is made from: every workflow that workers can run.
export { runBatch } from './batch.ts';
export { bulkRedrive } from './bulk-redrive.ts';
export { runCarrier } from './carrier.ts';
export { httpJob } from './http-job.ts';
export { itemChunk } from './run/item-chunk.ts';
export { workflowRun } from './run/workflow-run.ts';
