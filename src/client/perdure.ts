// The client: one object with a part for each resource of the REST API.
import { followEvents } from './events.ts';
import { createApiKeys } from './resources/api-keys.ts';
import { createBatches } from './resources/batches.ts';
import { createDeadLetters } from './resources/dead-letters.ts';
import { createJobs } from './resources/jobs.ts';
import { createQueues } from './resources/queues.ts';
import { createRuns } from './resources/runs.ts';
import { createSchedules } from './resources/schedules.ts';
import { createWorkers } from './resources/workers.ts';
import { createWorkflows } from './resources/workflows.ts';
import { createTransport, type PerdureOptions, type Transport } from './transport.ts';
import type { CallOptions, EventFilter, EventOptions, Identity, PerdureEvent } from './types.ts';

export class Perdure {
  readonly jobs: ReturnType<typeof createJobs>;
  readonly batches: ReturnType<typeof createBatches>;
  readonly schedules: ReturnType<typeof createSchedules>;
  readonly workflows: ReturnType<typeof createWorkflows>;
  readonly runs: ReturnType<typeof createRuns>;
  readonly deadLetters: ReturnType<typeof createDeadLetters>;
  readonly workers: ReturnType<typeof createWorkers>;
  readonly queues: ReturnType<typeof createQueues>;
  readonly apiKeys: ReturnType<typeof createApiKeys>;
  readonly #transport: Transport;

  constructor(options: PerdureOptions) {
    const transport = createTransport(options);
    this.#transport = transport;
    this.jobs = createJobs(transport);
    this.batches = createBatches(transport);
    this.schedules = createSchedules(transport);
    this.workflows = createWorkflows(transport);
    this.runs = createRuns(transport);
    this.deadLetters = createDeadLetters(transport);
    this.workers = createWorkers(transport);
    this.queues = createQueues(transport);
    this.apiKeys = createApiKeys(transport);
  }

  /** Endless; ends by `break`, or by throwing the reason of the `signal`. */
  events(filter?: EventFilter, options?: EventOptions): AsyncGenerator<PerdureEvent, void, undefined> {
    return followEvents(this.#transport, filter, options);
  }

  whoami(options?: CallOptions): Promise<Identity> {
    return this.#transport.json<Identity>({ method: 'GET', path: '/v1/whoami' }, options);
  }
}
