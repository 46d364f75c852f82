// The one file the workflow bundle is made from: every workflow that workers can run.
export { httpJob } from './http-job.ts';
export { bulkRedrive } from './bulk-redrive.ts';
