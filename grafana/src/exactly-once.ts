// Exactly once: what would have happened twice or not at all, had nobody seen to it.
import { page } from './page.ts';
import { graph, stat } from './panels.ts';
import { query, rate, state, sumBy, TENANT, total } from './queries.ts';

const now = [
  stat(
    {
      title: 'Accepted and not final',
      unit: 'short',
      description:
        'As the store has it. When nothing new comes in, this must come back to zero (or to what is scheduled).',
    },
    [query(state('perdure_jobs', { filter: TENANT }), 'open')],
  ),
  stat(
    {
      title: 'Due for too long',
      unit: 's',
      limits: { warn: 60, bad: 300 },
      description: 'The longest that an open job has been due. Red: something is lost or stuck; see the runbook.',
    },
    [query('max(perdure_jobs_oldest_due_seconds)', 'oldest')],
  ),
  stat(
    {
      title: 'Duplicates suppressed',
      unit: 'short',
      description: 'Requests in the time shown that would have been a second job without their Idempotency-Key.',
    },
    [query(sumBy('', total('perdure_duplicates_suppressed_total')), 'suppressed')],
  ),
  stat(
    {
      title: 'Lost attempts',
      unit: 'short',
      limits: { warn: 1, bad: 10 },
      description:
        'Calls whose worker vanished. Their jobs went on; with atMostOnce they are `unknown`. Why did it vanish?',
    },
    [query(sumBy('', total('perdure_attempts_lost_total')), 'lost')],
  ),
  stat(
    {
      title: 'Zombie writes refused',
      unit: 'short',
      limits: { warn: 1, bad: 50 },
      description: 'Results that came too late to count. Some at cancels are usual, many are workers that freeze.',
    },
    [query(sumBy('', total('perdure_zombie_writes_refused_total')), 'refused')],
  ),
  stat(
    {
      title: 'Repairs',
      unit: 'short',
      limits: { warn: 1, bad: 10 },
      description:
        'Jobs, runs, batches and schedules on which PostgreSQL and Temporal disagreed, settled by relay and auditor.',
    },
    [
      query(
        `${sumBy('', total('perdure_relay_repairs_total'))} + ${sumBy('', total('perdure_schedule_repairs_total'))}`,
        'repairs',
      ),
    ],
  ),
];

const balance = [
  graph(
    {
      title: 'Accepted minus final',
      unit: 'short',
      width: 12,
      description: 'Rows that are open, by status: the one number that must come back to zero after any load.',
      stacked: true,
    },
    [query(state('perdure_jobs', { filter: TENANT, by: 'status' }), '{{status}}')],
  ),
  graph(
    {
      title: 'Accepted and final',
      unit: 'ops',
      width: 12,
      description: 'Two lines that lie on each other. Apart for long: the backlog grows or shrinks.',
    },
    [
      query(sumBy('', rate('perdure_jobs_accepted_total', TENANT)), 'accepted'),
      query(sumBy('', rate('perdure_jobs_started_total')), 'started'),
      query(sumBy('', rate('perdure_jobs_finished_total', TENANT)), 'final'),
    ],
  ),
];

const guards = [
  graph(
    {
      title: 'Duplicates suppressed',
      unit: 'ops',
      description:
        '`replayed`: the first answer again. `keyReused`: other content under a used key, a fault of the caller.',
    },
    [query(sumBy('kind', rate('perdure_duplicates_suppressed_total')), '{{kind}}')],
  ),
  graph(
    {
      title: 'Claims',
      unit: 'ops',
      description: '`skipped`: taken or final already. Many of them: the same work is offered more than once.',
    },
    [query(sumBy('result', rate('perdure_claims_total')), '{{result}}')],
  ),
  graph(
    {
      title: 'Lost attempts and zombie writes',
      unit: 'ops',
      description:
        'Above zero while workers are killed or frozen. Without that: out of memory, or a blocked event loop.',
    },
    [
      query(sumBy('', rate('perdure_attempts_lost_total')), 'lost attempts'),
      query(sumBy('', rate('perdure_zombie_writes_refused_total')), 'zombie writes refused'),
    ],
  ),
  graph(
    {
      title: 'Started by the relay',
      unit: 'ops',
      description:
        'Workflows that whoever accepted the job had not started: Temporal was away, or more came than it takes.',
    },
    [query(sumBy('', rate('perdure_relay_starts_total')), 'relay')],
  ),
  graph(
    {
      title: 'Settled by the relay',
      unit: 'ops',
      description:
        'Workflows ended without their job: `absent` deleted, `closed` terminated, `canceled` from the Web UI.',
    },
    [query(sumBy('reason', rate('perdure_relay_repairs_total')), '{{reason}}')],
  ),
  graph(
    {
      title: 'Put right by the auditor',
      unit: 'ops',
      description: 'Times started and schedules repaired because Temporal did not do what it was told.',
    },
    [
      query(sumBy('', rate('perdure_auditor_starts_total')), 'times started'),
      query(sumBy('', rate('perdure_schedule_repairs_total')), 'schedules repaired'),
    ],
  ),
];

export const exactlyOnce = page(
  {
    uid: 'perdure-exactly-once',
    title: 'Perdure: Exactly once',
    description: 'Nothing lost, nothing twice: what was held back, what was put right, and the balance.',
    variables: ['tenant'],
  },
  [
    { title: 'Now', panels: now },
    { title: 'Balance', panels: balance },
    { title: 'Guards', panels: guards },
  ],
);
