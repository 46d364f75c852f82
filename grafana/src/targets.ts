// Jobs and targets: which host is slow, which fails, why, and what the retries do about it.
import { page } from './page.ts';
import { graph, heatmap, stat, table } from './panels.ts';
import { HOST, quantile, quantiles, query, rate, share, sumBy, TENANT } from './queries.ts';

const calls = rate('perdure_host_attempts_total', HOST);
const good = rate('perdure_host_attempts_total', `${HOST}, status_class="2xx"`);
const bad = rate('perdure_host_attempts_total', `${HOST}, status_class!="2xx"`);
const byHost = (expr: string) => `topk(10, ${sumBy('host', expr)})`;

const now = [
  stat({ title: 'Calls', unit: 'ops', width: 6, description: 'Calls to the chosen hosts per second.' }, [
    query(sumBy('', calls), 'calls'),
  ]),
  stat(
    {
      title: 'Answered 2xx',
      unit: 'percentunit',
      width: 6,
      limits: { warn: 0.98, bad: 0.9 },
      description: 'Share of the calls that were answered with a 2xx. Red: the table below says which host.',
    },
    [query(share(good, calls), '2xx')],
  ),
  stat(
    {
      title: 'p95 of a call',
      unit: 's',
      width: 6,
      limits: { warn: 2.5, bad: 10 },
      description: 'Near the timeout of the jobs (10 s unless they say otherwise), calls begin to be cut off.',
    },
    [query(quantile(0.95, 'perdure_attempt_duration_seconds', HOST), 'p95')],
  ),
  stat(
    {
      title: 'Retries',
      unit: 'ops',
      width: 6,
      description: 'Retries planned per second. Above the rate of new jobs: most of the work is repetition.',
    },
    [query(sumBy('', rate('perdure_retries_scheduled_total', HOST)), 'retries')],
  ),
];

const hosts = [
  table(
    {
      title: 'Hosts',
      unit: 'short',
      description: 'One row per host. A failing share with short calls: refused; with long ones: overloaded.',
    },
    'host',
    [
      { expr: sumBy('host', calls), legend: 'calls', unit: 'ops' },
      { expr: `${sumBy('host', bad)} / ${sumBy('host', calls)}`, legend: 'not 2xx', unit: 'percentunit' },
      { expr: quantile(0.95, 'perdure_attempt_duration_seconds', HOST, 'host'), legend: 'p95', unit: 's' },
      { expr: sumBy('host', rate('perdure_retries_scheduled_total', HOST)), legend: 'retries', unit: 'ops' },
    ],
  ),
  graph(
    { title: 'Calls by host', unit: 'ops', description: 'The ten busiest. One that takes nearly all: is that meant?' },
    [query(byHost(calls), '{{host}}')],
  ),
  graph(
    {
      title: 'p95 by host',
      unit: 's',
      description: 'The ten slowest. A slow host holds places of the workers that others could use.',
    },
    [query(`topk(10, ${quantile(0.95, 'perdure_attempt_duration_seconds', HOST, 'host')})`, '{{host}}')],
  ),
  graph(
    {
      title: 'Not 2xx by host',
      unit: 'ops',
      description: 'The ten that fail most, whatever the reason. All at once: look at our own network first.',
    },
    [query(byHost(bad), '{{host}}')],
  ),
];

const reasons = [
  graph(
    {
      title: 'Answers by class',
      unit: 'ops',
      stacked: true,
      description: '4xx are mostly our callers’ mistakes and not retried; 5xx are the target’s and are.',
    },
    [
      query(
        sumBy('status_class', rate('perdure_host_attempts_total', `${HOST}, outcome="answered"`)),
        '{{status_class}}',
      ),
    ],
  ),
  graph(
    {
      title: 'No answer, by reason',
      unit: 'ops',
      description:
        '`notSent`: nothing has left us (refused, no such name, target not allowed). `unknown`: it may have acted.',
    },
    [
      query(
        sumBy('outcome, reason', rate('perdure_host_attempts_total', `${HOST}, outcome!="answered"`)),
        '{{outcome}} {{reason}}',
      ),
    ],
  ),
  graph(
    {
      title: 'Retries by cause',
      unit: 'ops',
      stacked: true,
      description: 'Why calls are made again. `429`: the target asks for less; `workerLost`: ours vanish in mid-call.',
    },
    [query(sumBy('cause', rate('perdure_retries_scheduled_total', HOST)), '{{cause}}')],
  ),
];

const durations = [
  heatmap(
    {
      title: 'Duration of calls',
      unit: 's',
      description: 'Two bands are two kinds of calls; a band at the top is the timeout.',
    },
    sumBy('le', rate('perdure_attempt_duration_seconds_bucket', HOST)),
  ),
  graph(
    { title: 'Duration of calls', unit: 's', width: 12, description: 'A p50 that rises with the rate: overload.' },
    quantiles('perdure_attempt_duration_seconds', HOST),
  ),
  graph(
    {
      title: 'Attempts by tenant',
      unit: 'ops',
      width: 12,
      stacked: true,
      description: 'Who makes the calls. One tenant in front of all others: they wait for it.',
    },
    [query(sumBy('tenant', rate('perdure_attempts_total', TENANT)), '{{tenant}}')],
  ),
  graph(
    {
      title: 'Failed attempts by tenant',
      unit: 'ops',
      width: 12,
      description: 'Whose calls fail. One tenant only: its targets or its requests, not us.',
    },
    [query(sumBy('tenant', rate('perdure_attempts_total', `${TENANT}, status_class!="2xx"`)), '{{tenant}}')],
  ),
];

export const targets = page(
  {
    uid: 'perdure-targets',
    title: 'Perdure: Jobs and targets',
    description: 'Calls by host: how many, how long, how they fail, how they are repeated.',
    variables: ['tenant', 'host'],
    workflows: { title: 'Jobs in the Temporal Web UI', query: "WorkflowType = 'httpJob'" },
  },
  [
    { title: 'Now', panels: now },
    { title: 'Hosts', panels: hosts },
    { title: 'Reasons', panels: reasons },
    { title: 'Durations and tenants', panels: durations },
  ],
);
