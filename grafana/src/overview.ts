// Overview: is it working, does it keep up, what fails.
import { page } from './page.ts';
import { graph, stat } from './panels.ts';
import { quantiles, query, rate, share, state, sumBy, TENANT, total } from './queries.ts';

const finishedWell = rate('perdure_jobs_finished_total', `${TENANT}, status="succeeded"`);
const finishedByUs = rate('perdure_jobs_finished_total', `${TENANT}, status!="canceled"`);

const now = [
  stat(
    {
      title: 'Accepted',
      unit: 'ops',
      description: 'Jobs accepted per second. Zero with callers about: look at the API requests below.',
    },
    [query(sumBy('', rate('perdure_jobs_accepted_total', TENANT)), 'accepted')],
  ),
  stat(
    {
      title: 'Finished',
      unit: 'ops',
      description: 'Jobs that became final per second. Lower than accepted for long: the queue grows.',
    },
    [query(sumBy('', rate('perdure_jobs_finished_total', TENANT)), 'finished')],
  ),
  stat(
    {
      title: 'Succeeded',
      unit: 'percentunit',
      limits: { warn: 0.99, bad: 0.95 },
      description:
        'Of the jobs that became final (canceled ones aside), how many succeeded. Red: see which host fails under Jobs and targets.',
    },
    [query(share(finishedWell, finishedByUs), 'succeeded')],
  ),
  stat(
    {
      title: 'Open',
      unit: 'short',
      description: 'Jobs that are not final, as the store has them. Growing without end: more comes in than is done.',
    },
    [query(state('perdure_jobs', { filter: TENANT }), 'open')],
  ),
  stat(
    {
      title: 'Dead letters',
      unit: 'short',
      limits: { warn: 1, bad: 100 },
      description: 'Dead letters nobody has redriven or deleted. Each is a job or run that somebody still waits for.',
    },
    [query(state('perdure_dead_letters', { filter: TENANT }), 'dead letters')],
  ),
  stat(
    {
      title: 'Oldest in the queue',
      unit: 's',
      limits: { warn: 10, bad: 60 },
      description: 'How long the first queued job has waited. Red: too few workers, or none (Workers and engine).',
    },
    [query('max(perdure_jobs_oldest_due_seconds{status="queued"})', 'oldest')],
  ),
];

const throughput = [
  graph(
    {
      title: 'Accepted by source',
      unit: 'ops',
      stacked: true,
      description: 'Where jobs come from. A source that falls to zero: its callers, or the schedules, stand still.',
    },
    [query(sumBy('source', rate('perdure_jobs_accepted_total', TENANT)), '{{source}}')],
  ),
  graph(
    {
      title: 'Finished by status',
      unit: 'ops',
      stacked: true,
      description: 'How jobs end. `failed`, `expired` and `unknown` each leave a dead letter.',
    },
    [query(sumBy('status', rate('perdure_jobs_finished_total', TENANT)), '{{status}}')],
  ),
  graph(
    {
      title: 'Open by status',
      unit: 'short',
      stacked: true,
      description:
        'What waits and what runs. `queued` growing: not enough workers. `retrying` growing: a target is ill.',
    },
    [query(state('perdure_jobs', { filter: TENANT, by: 'status' }), '{{status}}')],
  ),
];

const durations = [
  graph(
    {
      title: 'Accepted to final',
      unit: 's',
      description: 'What callers feel, retries and waiting included. p99 far above p50: retries, or a slow target.',
    },
    quantiles('perdure_accepted_to_final_seconds', TENANT),
  ),
  graph(
    {
      title: 'Wait for the first attempt',
      unit: 's',
      description: 'Time that jobs lie ready and nothing happens. More than a second: the workers do not keep up.',
    },
    quantiles('perdure_queue_wait_seconds'),
  ),
  graph(
    {
      title: 'Oldest that is due',
      unit: 's',
      description:
        'By status, for how long the first job has been due. `scheduled` or `retrying` above a minute: timers stand still.',
    },
    [query('max by (status) (perdure_jobs_oldest_due_seconds)', '{{status}}')],
  ),
];

const failures = [
  graph(
    {
      title: 'Attempts by outcome',
      unit: 'ops',
      description: 'Calls to targets. `unknown` is a call nobody knows the end of: with atMostOnce it is not repeated.',
    },
    [query(sumBy('outcome, status_class', rate('perdure_attempts_total', TENANT)), '{{outcome}} {{status_class}}')],
  ),
  graph(
    {
      title: 'Dead letters by reason',
      unit: 'short',
      stacked: true,
      description: 'What nobody has redriven or deleted. A step upwards: one cause for many; look at the fingerprints.',
    },
    [query(state('perdure_dead_letters', { filter: TENANT, by: 'reason' }), '{{reason}}')],
  ),
  graph(
    {
      title: 'API requests by status',
      unit: 'reqps',
      description: '5xx means that the store is away or that we have a fault; 429 that a caller is too fast.',
    },
    [query(sumBy('status', rate('perdure_http_request_duration_seconds_count')), '{{status}}')],
  ),
  stat(
    {
      title: 'Finished in this time',
      unit: 'short',
      width: 24,
      description: 'Jobs that became final in the time shown, by status.',
    },
    [query(sumBy('status', total('perdure_jobs_finished_total', TENANT)), '{{status}}')],
  ),
];

export const overview = page(
  {
    uid: 'perdure-overview',
    title: 'Perdure: Overview',
    description: 'What runs, what waits, what failed, and whether the machine keeps up.',
    variables: ['tenant'],
  },
  [
    { title: 'Now', panels: now },
    { title: 'Throughput', panels: throughput },
    { title: 'Durations', panels: durations },
    { title: 'Failures', panels: failures },
  ],
);
