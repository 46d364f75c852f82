// Workflows: runs and their steps, batches, and the notifications that tell others of their end.
import { page } from './page.ts';
import { graph, stat } from './panels.ts';
import { quantiles, query, rate, share, state, sumBy, TENANT } from './queries.ts';

const ended = 'perdure_runs_finished_total';

const runs = [
  stat(
    {
      title: 'Open runs',
      unit: 'short',
      description: 'Runs that are not final. Growing: they wait, or steps are slow.',
    },
    [query(state('perdure_runs', { filter: TENANT }), 'open')],
  ),
  stat(
    {
      title: 'Waiting',
      unit: 'short',
      description: 'Runs that wait for a signal or a time. Old ones may wait for a signal that nobody sends.',
    },
    [query(state('perdure_runs', { filter: `${TENANT}, status="waiting"` }), 'waiting')],
  ),
  stat(
    {
      title: 'Succeeded',
      unit: 'percentunit',
      limits: { warn: 0.99, bad: 0.95 },
      description:
        'Of the runs that ended (canceled ones aside), how many succeeded. Red: their dead letters name the step.',
    },
    [
      query(
        share(rate(ended, `${TENANT}, status="succeeded"`), rate(ended, `${TENANT}, status!="canceled"`)),
        'succeeded',
      ),
    ],
  ),
  stat({ title: 'Batches', unit: 'short', description: 'Batches with items that are not final.' }, [
    query('max(perdure_batches_running)', 'running'),
  ]),
  stat(
    {
      title: 'Batch progress',
      unit: 'percentunit',
      description:
        'Of the items of all batches that run, how many are final. Standing still: look at Jobs and targets.',
    },
    [
      query(
        'max(perdure_batch_items{state="final"}) / clamp_min(max(sum by (instance) (perdure_batch_items)), 1)',
        'done',
      ),
    ],
  ),
  stat(
    {
      title: 'Notifications overdue',
      unit: 's',
      limits: { warn: 30, bad: 300 },
      description: 'How long the first one has been due. Red: no worker sends them.',
    },
    [query('max(perdure_notifications_overdue_seconds)', 'overdue')],
  ),
];

const flow = [
  graph(
    {
      title: 'Runs accepted and ended',
      unit: 'ops',
      description: '`accepted` counts no runs that are steps of others; the ends count them all.',
    },
    [
      query(sumBy('', rate('perdure_runs_accepted_total', TENANT)), 'accepted'),
      query(sumBy('status', rate(ended, TENANT)), '{{status}}'),
    ],
  ),
  graph(
    {
      title: 'Open by status',
      unit: 'short',
      stacked: true,
      description: '`queued` above zero for long: no worker takes workflow tasks. `paused` ones wait for a resume.',
    },
    [query(state('perdure_runs', { filter: TENANT, by: 'status' }), '{{status}}')],
  ),
  graph(
    {
      title: 'Duration of runs',
      unit: 's',
      description: 'From acceptance to the end, waits for signals and times included.',
    },
    quantiles('perdure_run_duration_seconds'),
  ),
  graph(
    {
      title: 'Steps by their end',
      unit: 'ops',
      stacked: true,
      description: 'Counted when their run ends. `compensated`: undone because a later step failed.',
    },
    [query(sumBy('status', rate('perdure_run_steps_finished_total')), '{{status}}')],
  ),
  graph(
    {
      title: 'Items of running batches',
      unit: 'short',
      stacked: true,
      description: '`open` falls to zero while a batch runs. Flat: its target is slow or its workers are gone.',
    },
    [query('max by (state) (perdure_batch_items)', '{{state}}')],
  ),
  graph(
    {
      title: 'Notifications',
      unit: 'ops',
      description: '`failed` ones are tried again for 31 hours; `gone` are endpoints that answered 410.',
    },
    [
      query(sumBy('kind, outcome', rate('perdure_notifications_total')), '{{kind}} {{outcome}}'),
      query('max(perdure_notifications_pending)', 'pending (count)'),
    ],
  ),
];

export const workflows = page(
  {
    uid: 'perdure-workflows',
    title: 'Perdure: Workflows',
    description: 'Runs, their steps, batches and notifications.',
    variables: ['tenant'],
    workflows: { title: 'Runs in the Temporal Web UI', query: "WorkflowType = 'workflowRun'" },
  },
  [
    { title: 'Now', panels: runs },
    { title: 'Flow', panels: flow },
  ],
);
