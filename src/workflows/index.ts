// The one file the workflow bundle is made from: every workflow that workers can run.
export { httpJob } from './http-job.ts';
export { runBatch } from './batch.ts';
export { bulkRedrive } from './bulk-redrive.ts';
export { workflowRun } from './run/workflow-run.ts';
export { itemChunk } from './run/item-chunk.ts';
