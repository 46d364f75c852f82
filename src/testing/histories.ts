// Jobs in every way they can go and runs of every kind of step: their histories are kept in histories/ and replayed
// against the code of today.
import type { Json } from './api.ts';

export interface Scenario {
  name: string;
  definition: (url: string) => Json;
  fields?: Json;
  /** Sent as soon as the run waits. */
  signal?: { name: string; payload: Json };
  cancelWhenWaiting?: true;
  status: string;
}

const steps = (url: string): Json[] => [
  { id: 'first', http: { url: `${url}/ok`, method: 'POST', body: { n: '${ input.n }' } } },
  { id: 'flaky', dependsOn: ['first'], http: { url: `${url}/flaky` } },
  { id: 'careful', dependsOn: ['first'], http: { url: `${url}/ok` }, delivery: 'atMostOnce' },
  { id: 'never', if: 'input.n > 100', transform: 1 },
  { id: 'sum', transform: { n: '${ input.n + 1 }', ok: '${ steps.first.output.ok }' } },
  { id: 'rest', dependsOn: ['sum'], wait: { for: '20ms' } },
  { id: 'approve', dependsOn: ['rest'], waitFor: { signal: 'approval', timeout: '1h' } },
  { id: 'each', dependsOn: ['approve'], forEach: [1, 2, 3], concurrency: 2, http: { url: `${url}/ok?i=\${ item }` } },
];

export const SCENARIOS: Scenario[] = [
  {
    name: 'every-kind',
    definition: (url) => ({
      defaults: { retry: { initialInterval: '10ms' } },
      steps: [...steps(url), { id: 'child', dependsOn: ['each'], workflow: { name: 'replay-child', input: 1 } }],
      output: { n: '${ steps.sum.output.n }' },
    }),
    fields: { input: { n: 1 }, deadline: '1h' },
    signal: { name: 'approval', payload: { approved: true } },
    status: 'succeeded',
  },
  {
    name: 'compensated',
    definition: (url) => ({
      steps: [
        { id: 'charge', http: { url: `${url}/ok` }, compensate: { http: { url: `${url}/ok` } } },
        { id: 'ship', dependsOn: ['charge'], http: { url: `${url}/gone` } },
        { id: 'mail', dependsOn: ['ship'], transform: 1 },
        { id: 'alarm', dependsOn: ['ship'], runWhen: 'anyFailed', transform: '${ steps.ship.status }' },
      ],
    }),
    status: 'failed',
  },
  {
    name: 'canceled',
    definition: () => ({ steps: [{ id: 'wait', waitFor: { signal: 'never' } }] }),
    cancelWhenWaiting: true,
    status: 'canceled',
  },
  {
    name: 'expired',
    definition: () => ({ steps: [{ id: 'wait', waitFor: { signal: 'never' } }] }),
    fields: { deadline: '300ms' },
    status: 'expired',
  },
  {
    name: 'in-chunks',
    definition: (url) => ({
      steps: [
        { id: 'each', forEach: '${ input }', concurrency: 20, http: { url: `${url}/ok?i=\${ item }` } },
        { id: 'count', transform: '${ size(steps.each.output) }' },
      ],
      output: '${ steps.count.output }',
    }),
    fields: { input: Array.from({ length: 120 }, (_item, index) => index) },
    status: 'succeeded',
  },
  {
    name: 'items-failed',
    definition: (url) => ({
      steps: [
        { id: 'calls', forEach: [1, 0, 2], onError: 'continue', http: { url: `${url}/ok?i=\${ 10 / item }` } },
        { id: 'values', dependsOn: ['calls'], forEach: [1, 0, 2], onError: 'continue', transform: '${ 10 / item }' },
        {
          id: 'many',
          dependsOn: ['values'],
          forEach: '${ input.list }',
          onError: 'continue',
          transform: '${ input.text }',
        },
        { id: 'after', dependsOn: ['many'], transform: '${ steps.many.status }' },
      ],
    }),
    fields: { input: { list: Array.from({ length: 80 }, (_item, index) => index), text: 'x'.repeat(1_024) } },
    status: 'succeeded',
  },
];

export interface JobScenario {
  name: string;
  fields: (url: string) => Json;
  /** As soon as its workflow waits. */
  act?: 'run-now' | 'cancel';
  status: string;
}

export const JOB_SCENARIOS: JobScenario[] = [
  { name: 'job', fields: (url) => ({ http: { url: `${url}/ok` } }), status: 'succeeded' },
  {
    name: 'job-at-most-once',
    fields: (url) => ({ http: { url: `${url}/ok` }, delivery: 'atMostOnce' }),
    status: 'succeeded',
  },
  {
    name: 'job-delayed-and-retried',
    fields: (url) => ({
      ...{ http: { url: `${url}/flaky-job` }, delay: '200ms', deadline: '1h' },
      retry: { initialInterval: '50ms' },
    }),
    status: 'succeeded',
  },
  { name: 'job-rejected', fields: (url) => ({ http: { url: `${url}/gone` } }), status: 'failed' },
  {
    name: 'job-run-now',
    fields: (url) => ({ http: { url: `${url}/ok` }, delay: '1h' }),
    act: 'run-now',
    status: 'succeeded',
  },
  {
    name: 'job-canceled',
    fields: (url) => ({ http: { url: `${url}/ok` }, delay: '1h' }),
    act: 'cancel',
    status: 'canceled',
  },
  {
    name: 'job-expired',
    fields: (url) => ({
      ...{ http: { url: `${url}/away` }, deadline: '500ms' },
      retry: { initialInterval: '1h', maxInterval: '1h' },
    }),
    status: 'expired',
  },
];
