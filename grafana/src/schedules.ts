// Schedules: do they fire, how late, what did not run, and what comes next.
import { page } from './page.ts';
import { graph, heatmap, stat } from './panels.ts';
import { quantile, quantiles, query, rate, state, sumBy, total } from './queries.ts';

const now = [
  stat({ title: 'Active', unit: 'short', description: 'Schedules that are not paused.' }, [
    query(state('perdure_schedules', { filter: 'state="active"' }), 'active'),
  ]),
  stat(
    {
      title: 'Paused',
      unit: 'short',
      description: 'By hand, or after too many failures in a row: their note says which.',
    },
    [query(state('perdure_schedules', { filter: 'state="paused"' }), 'paused')],
  ),
  stat(
    {
      title: 'Missed',
      unit: 'short',
      limits: { warn: 1, bad: 5 },
      description:
        'Times in the span shown that nothing could start within the catch-up window. A backfill can run them yet.',
    },
    [query(sumBy('', total('perdure_schedule_ticks_total', 'outcome="missed"')), 'missed')],
  ),
  stat(
    {
      title: 'p99 lateness',
      unit: 's',
      limits: { warn: 2, bad: 10 },
      description: 'Red: Temporal does not fire in time and the auditor has to; see its starts below.',
    },
    [query(quantile(0.99, 'perdure_schedule_lateness_seconds'), 'p99')],
  ),
  stat(
    {
      title: 'Due and undecided',
      unit: 'short',
      limits: { warn: 100, bad: 1000 },
      description: 'Times that have passed and neither ran nor have a reason. More than a few: the auditor is behind.',
    },
    [query(state('perdure_ticks_due'), 'due')],
  ),
  stat(
    {
      title: 'The latest of them',
      unit: 's',
      limits: { warn: 10, bad: 60 },
      description: 'Above the grace of some seconds, no worker runs an auditor or Temporal is away.',
    },
    [query('max(perdure_ticks_overdue_seconds)', 'late')],
  ),
];

const firing = [
  graph(
    {
      title: 'Nominal times by outcome',
      unit: 'ops',
      stacked: true,
      width: 12,
      description:
        '`caughtUp` ran late, `skippedOverlap` found the run before still busy, `missed` did not run at all.',
    },
    [query(sumBy('outcome', rate('perdure_schedule_ticks_total')), '{{outcome}}')],
  ),
  graph(
    {
      title: 'Lateness',
      unit: 's',
      width: 12,
      description:
        'From the nominal time to the acceptance of its run. Below 0.1 s is usual, above 2 s the auditor fired.',
    },
    quantiles('perdure_schedule_lateness_seconds'),
  ),
  heatmap(
    {
      title: 'Lateness',
      unit: 's',
      description: 'A second band some seconds up are times that Temporal did not fire and the auditor did.',
    },
    sumBy('le', rate('perdure_schedule_lateness_seconds_bucket')),
  ),
  graph(
    {
      title: 'Fire next',
      unit: 'short',
      width: 12,
      description: 'Schedules that fire within a minute, ten minutes, an hour. A peak to come: is there room for it?',
    },
    [query('max by (within) (perdure_schedules_next)', 'within {{within}}')],
  ),
];

const repairs = [
  graph(
    {
      title: 'Started by the auditor',
      unit: 'ops',
      width: 12,
      description:
        'Times Temporal had not fired within the grace. Steadily above zero: its scheduler is overloaded or off.',
    },
    [query(sumBy('', rate('perdure_auditor_starts_total')), 'auditor')],
  ),
  graph(
    {
      title: 'Schedules repaired in Temporal',
      unit: 'ops',
      width: 12,
      description: 'Missing, changed or stopped behind our back. Again and again: somebody edits them in the Web UI.',
    },
    [query(sumBy('reason', rate('perdure_schedule_repairs_total')), '{{reason}}')],
  ),
];

export const schedules = page(
  {
    uid: 'perdure-schedules',
    title: 'Perdure: Schedules',
    description: 'Whether every nominal time ran, how late it was, and what had to be put right.',
    workflows: { title: 'Runs of schedules in the Temporal Web UI', query: 'TemporalScheduledById is not null' },
  },
  [
    { title: 'Now', panels: now },
    { title: 'Firing', panels: firing },
    { title: 'Repairs', panels: repairs },
  ],
);
