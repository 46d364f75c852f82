// Workers and engine: who works, how full they are, and how Temporal, PostgreSQL and Node bear it.
import { page } from './page.ts';
import { graph, stat } from './panels.ts';
import { quantile, quantiles, query, rate, sumBy } from './queries.ts';

/** Temporal's own workers, inside its server, have metrics of the same names. */
const SDK = 'service_name="temporal-core-sdk"';
const worst = (metric: string) => `max by (instance) (${metric})`;

const workers = [
  stat(
    {
      title: 'Workers',
      unit: 'short',
      limits: { warn: 2, bad: 1 },
      description: 'Workers that take work. Below two, one that dies leaves none; at zero nothing runs.',
    },
    [query('sum(max by (state) (perdure_workers{state=~"available|busy"}))', 'workers')],
  ),
  stat(
    {
      title: 'Backlog',
      unit: 'short',
      limits: { warn: 1000, bad: 100_000 },
      description: 'What could run now and does not. Large and growing: add workers, or look for one slow target.',
    },
    [query('sum(max by (queue) (perdure_queue_backlog))', 'backlog')],
  ),
  stat(
    {
      title: 'Oldest of the backlog',
      unit: 's',
      limits: { warn: 30, bad: 300 },
      description: 'How long the first of it could have run.',
    },
    [query('max(perdure_queue_oldest_age_seconds)', 'oldest')],
  ),
  stat(
    {
      title: 'Calls under way',
      unit: 'short',
      description:
        'Places for activities in use. At the maximum (PERDURE_CONCURRENCY per worker) calls wait for a place.',
    },
    [query(`sum(temporal_worker_task_slots_used{${SDK}, worker_type=~"ActivityWorker|LocalActivityWorker"})`, 'used')],
  ),
  stat(
    {
      title: 'Pool in use',
      unit: 'percentunit',
      limits: { warn: 0.8, bad: 0.95 },
      description:
        'Of the connections to PostgreSQL that the fullest process may hold. Red: its statements wait for each other.',
    },
    [
      query(
        'max(sum by (instance) (perdure_db_connections{state="used"}) / sum by (instance) (perdure_db_connections_max))',
        'used',
      ),
    ],
  ),
  stat(
    {
      title: 'Event loop p99',
      unit: 's',
      limits: { warn: 0.1, bad: 0.5 },
      description: 'Of the worst process. Red: it is out of processor, everything it does is late.',
    },
    [query('max(nodejs_eventloop_lag_p99_seconds)', 'p99')],
  ),
];

const fleet = [
  graph(
    {
      title: 'Workers by state',
      unit: 'short',
      stacked: true,
      description: '`gone`: no sign of life for 30 seconds, without a goodbye. `paused` and `draining` were asked to.',
    },
    [query('max by (state) (perdure_workers)', '{{state}}')],
  ),
  graph(
    {
      title: 'Backlog by queue',
      unit: 'short',
      description:
        'A queue that only grows has too few workers, is paused (the second line is 1), or its targets are slow.',
    },
    [
      query('max by (queue) (perdure_queue_backlog)', '{{queue}}'),
      query('max by (queue) (perdure_queue_paused)', '{{queue}} paused'),
    ],
  ),
  graph(
    {
      title: 'Age of the backlog',
      unit: 's',
      description: 'How long the first of each queue could have run. Seconds are usual under load, minutes are not.',
    },
    [query('max by (queue) (perdure_queue_oldest_age_seconds)', '{{queue}}')],
  ),
  graph(
    {
      title: 'Slots in use',
      unit: 'short',
      description: 'By kind of work. WorkflowWorker at its maximum: the processor, not the targets, is the limit.',
    },
    [query(sumBy('worker_type', `temporal_worker_task_slots_used{${SDK}}`), '{{worker_type}}')],
  ),
  graph(
    {
      title: 'Slots free',
      unit: 'short',
      description: 'At zero, new work waits although workers are there: raise PERDURE_CONCURRENCY or add workers.',
    },
    [query(sumBy('worker_type', `temporal_worker_task_slots_available{${SDK}}`), '{{worker_type}}')],
  ),
  graph(
    {
      title: 'Workflows in memory',
      unit: 'short',
      description:
        'The sticky cache. At PERDURE_WORKFLOW_CACHE, workflows are replayed from history more and more often.',
    },
    [query(sumBy('instance', `temporal_sticky_cache_size{${SDK}}`), '{{instance}}')],
  ),
];

const tasks = [
  graph(
    {
      title: 'Schedule to start, workflow tasks',
      unit: 's',
      description: 'How long tasks lie in Temporal before a worker takes them. Above 0.2 s: too few workers.',
    },
    quantiles('temporal_workflow_task_schedule_to_start_latency_seconds', SDK),
  ),
  graph(
    {
      title: 'Schedule to start, activities',
      unit: 's',
      description: 'The same for regular activities: long calls, retries and batches.',
    },
    quantiles('temporal_activity_schedule_to_start_latency_seconds', SDK),
  ),
  graph(
    {
      title: 'Execution of workflow tasks',
      unit: 's',
      description: 'First attempts run inside: seconds here are slow targets. Replays of long histories show here too.',
    },
    quantiles('temporal_workflow_task_execution_latency_seconds', SDK),
  ),
];

const temporal = [
  graph(
    {
      title: 'Requests to Temporal',
      unit: 'reqps',
      description: 'What the workers ask of the server, by operation.',
    },
    [query(`topk(8, ${sumBy('operation', rate('temporal_request_total', SDK))})`, '{{operation}}')],
  ),
  graph(
    {
      title: 'Latency of Temporal',
      unit: 's',
      description: 'p95 as the workers see it. Everything waits for it: look at its store and its processor.',
    },
    [query(`topk(8, ${quantile(0.95, 'temporal_request_latency_seconds', SDK, 'operation')})`, '{{operation}}')],
  ),
  graph(
    {
      title: 'Temporal server by service',
      unit: 'reqps',
      description:
        'Requests inside the server. It does not answer here at all: it is down, or its metrics are not scraped.',
    },
    [query(sumBy('service_name', rate('service_requests')), '{{service_name}}')],
  ),
  graph(
    {
      title: 'Store of Temporal',
      unit: 's',
      description: 'p95 of its persistence. Above 0.1 s all of Temporal is slow: its database is the cause.',
    },
    [query(quantile(0.95, 'persistence_latency', '', 'service_name'), '{{service_name}}')],
  ),
  graph(
    {
      title: 'Memory of Temporal',
      unit: 'bytes',
      description: 'Heap of the server. It grows with workflows that are open or kept; a steep rise ends in a kill.',
    },
    [query('max(memory_heapinuse)', 'heap')],
  ),
  graph(
    {
      title: 'Claims',
      unit: 'ops',
      description: 'Jobs taken for an attempt, and those found taken already.',
    },
    [query(sumBy('result', rate('perdure_claims_total')), '{{result}}')],
  ),
];

const processes = [
  graph(
    {
      title: 'Connections to PostgreSQL',
      unit: 'short',
      description: 'In use, by process. At its maximum (PERDURE_DB_POOL) statements wait.',
    },
    [
      query(sumBy('instance', 'perdure_db_connections{state="used"}'), '{{instance}} used'),
      query(worst('perdure_db_connections_max'), '{{instance}} max'),
    ],
  ),
  graph(
    {
      title: 'Statements that wait',
      unit: 'short',
      description: 'For a connection. Above zero for long: raise PERDURE_DB_POOL, or find the slow statement.',
    },
    [query(worst('perdure_db_waiting'), '{{instance}}')],
  ),
  graph(
    {
      title: 'Event loop lag, p99',
      unit: 's',
      description: 'By process. Above 0.1 s timers, heartbeats and answers come late.',
    },
    [query(worst('nodejs_eventloop_lag_p99_seconds'), '{{instance}}')],
  ),
  graph(
    { title: 'Processor', unit: 'short', description: 'Cores in use by process. Node uses little more than one.' },
    [query(sumBy('instance', rate('process_cpu_seconds_total')), '{{instance}}')],
  ),
  graph(
    {
      title: 'Memory',
      unit: 'bytes',
      description: 'Resident memory by process. A line that only rises is a leak; fewer cached workflows give time.',
    },
    [query(worst('process_resident_memory_bytes'), '{{instance}}')],
  ),
  graph(
    {
      title: 'API latency by route, p95',
      unit: 's',
      description: 'The slowest routes. All slow at once: the store or the processor; one alone: that route.',
    },
    [query(`topk(8, ${quantile(0.95, 'perdure_http_request_duration_seconds', '', 'route')})`, '{{route}}')],
  ),
];

export const engine = page(
  {
    uid: 'perdure-engine',
    title: 'Perdure: Workers and engine',
    description: 'Workers and their state, queues, Temporal, PostgreSQL and Node.',
    workflows: { title: 'Workers in the Temporal Web UI', query: "ExecutionStatus = 'Running'" },
  },
  [
    { title: 'Now', panels: workers },
    { title: 'Workers and queues', panels: fleet },
    { title: 'Tasks', panels: tasks },
    { title: 'Temporal', panels: temporal },
    { title: 'Processes', panels: processes },
  ],
);
