// What a load does with an instance: each action makes a known number of jobs, all of them under one label.
import type { JobInput, Perdure, WorkflowDefinition } from '../../src/client/index.ts';
import type { Behaviour, Target } from './target.ts';

export interface LoadContext {
  perdure: Perdure;
  target: Target;
  /** Finds everything of this load again, and keeps the ids of two loads apart. */
  loadId: string;
}

export interface Action {
  /** How many jobs it makes. */
  jobs: number;
  run(context: LoadContext, nth: number): Promise<void>;
}

/** Impatient, so that a load of half a minute sees the end of what it began. */
const RETRY = { maxAttempts: 3, initialInterval: '200ms', maxInterval: '1s' };

export function jobOf({ target, loadId }: LoadContext, behaviour: Behaviour, more: Partial<JobInput> = {}): JobInput {
  return {
    name: `load-${behaviour}`,
    http: { url: target.urlOf(behaviour), timeout: behaviour === 'hang' ? '1s' : '5s' },
    retry: RETRY,
    labels: labelsOf(loadId),
    ...more,
  };
}

export function labelsOf(loadId: string): Record<string, string> {
  return { load: loadId };
}

export function single(behaviour: Behaviour): Action {
  return {
    jobs: 1,
    async run(context) {
      await context.perdure.jobs.submit(jobOf(context, behaviour));
    },
  };
}

/** The same request twice at once: one job. */
export const duplicate: Action = {
  jobs: 1,
  async run(context, nth) {
    const options = { idempotencyKey: `${context.loadId}-${nth}` };
    const job = jobOf(context, 'ok');
    await Promise.all([context.perdure.jobs.submit(job, options), context.perdure.jobs.submit(job, options)]);
  },
};

export const dependants: Action = {
  jobs: 2,
  async run(context) {
    const parent = await context.perdure.jobs.submit(jobOf(context, 'ok'));
    await context.perdure.jobs.submit(jobOf(context, 'ok', { dependsOn: [parent.id] }));
  },
};

export const canceled: Action = {
  jobs: 1,
  async run(context) {
    const job = await context.perdure.jobs.submit(jobOf(context, 'ok', { delay: '1h' }));
    await context.perdure.jobs.cancel(job.id);
  },
};

export const later: Action = {
  jobs: 1,
  async run(context) {
    await context.perdure.jobs.submit(jobOf(context, 'ok', { delay: '2s' }));
  },
};

const BATCH_ITEMS = 20;
export const batch: Action = {
  jobs: BATCH_ITEMS,
  async run(context) {
    const { http, retry } = jobOf(context, 'ok');
    await context.perdure.batches.create({
      name: 'load-batch',
      defaults: { http, retry, labels: labelsOf(context.loadId) },
      items: Array.from({ length: BATCH_ITEMS }, (_, at) => ({
        name: `load-item-${at}`,
        ...(at % 10 === 9 ? { http: { url: context.target.urlOf('flaky') } } : {}),
      })),
      concurrency: 10,
    });
  },
};

/** Counts as one; its calls are not in the list of jobs. */
export const workflow: Action = {
  jobs: 1,
  async run({ perdure, loadId }) {
    await perdure.workflows.run(loadId, { labels: labelsOf(loadId) });
  },
};

export function definitionOf({ target }: LoadContext): WorkflowDefinition {
  const call = (id: string, behaviour: Behaviour, dependsOn: string[] = []) => ({
    id,
    dependsOn,
    http: { url: target.urlOf(behaviour), timeout: '5s' },
    retry: RETRY,
  });
  return {
    steps: [
      call('order', 'ok'),
      call('charge', 'flaky', ['order']),
      { id: 'total', dependsOn: ['charge'], transform: '${ steps.charge.output.attempt + 1 }' },
      { ...call('ship', 'ok', ['total']), if: 'steps.total.output > 1' },
      { ...call('gift', 'ok', ['total']), if: 'steps.total.output > 100' },
    ],
  };
}
