// Jobs: submit, read, wait, stop.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type { Attempt, CallOptions, CreateAndWaitOptions, Job, JobFilter, JobInput, WaitOptions } from '../types.ts';
import { createAndWait, waitUntilFinal } from '../wait.ts';

const PATH = '/v1/jobs';

export function createJobs(transport: Transport) {
  const pathOf = (id: string) => `${PATH}/${encodeURIComponent(id)}`;
  return {
    submit: (job: JobInput, options?: CreateAndWaitOptions) =>
      createAndWait<Job>(transport, { path: PATH, body: job }, options),
    get: (id: string, options?: CallOptions) => transport.json<Job>({ method: 'GET', path: pathOf(id) }, options),
    wait: (id: string, options?: WaitOptions) => waitUntilFinal<Job>(transport, pathOf(id), options),
    list: (filter?: JobFilter, options?: CallOptions) => createList<Job>(transport, PATH, filter, options),
    attempts: (id: string, options?: CallOptions) =>
      createList<Attempt>(transport, `${pathOf(id)}/attempts`, undefined, options),
    /** `alreadyFinal` (409) when it has ended. */
    cancel: (id: string, options?: CallOptions) =>
      transport.json<Job>({ method: 'POST', path: `${pathOf(id)}/cancel`, repeatable: true }, options),
    /** Only what is `scheduled` or `retrying`; else `notWaiting` (409). */
    runNow: (id: string, options?: CallOptions) =>
      transport.json<Job>({ method: 'POST', path: `${pathOf(id)}/run-now` }, options),
  };
}
