// Gauges of how things stand in the store. Every process with an API shows the same, so read them with `max`, not `sum`.
import { Gauge, type Registry } from 'prom-client';

import { DEAD_LETTER_REASONS } from './job-metrics.ts';
import { createStateCache } from './state-cache.ts';

export interface ShownState {
  jobs: { tenant: string; status: string; count: number }[];
  overdue: { status: string; seconds: number }[];
  runs: { tenant: string; status: string; count: number }[];
  deadLetters: { tenant: string; reason: string; count: number }[];
  batches: { running: number; items: number; open: number };
  notifications: { pending: number; overdueSeconds: number };
  schedules: { active: number; paused: number; next1m: number; next10m: number; next1h: number };
  ticks: { due: number; overdueSeconds: number };
}

type Values = [labels: Record<string, string>, value: number][];

const OPEN_JOBS = ['scheduled', 'blocked', 'queued', 'running', 'retrying'];
const OPEN_RUNS = ['scheduled', 'queued', 'running', 'waiting', 'paused'];

export interface StateMetricsDeps {
  registry: Registry;
  tenantLabel: (tenant: string) => string;
  reasonLabel: (reason: string) => string;
}

export function measureState(
  { registry, tenantLabel, reasonLabel }: StateMetricsDeps,
  read: () => Promise<ShownState>,
) {
  const current = createStateCache(read);
  const gauge = (name: string, help: string, labelNames: string[], values: (state: ShownState) => Values) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const state = await current();
        // What is not known is not shown: a zero would say that all is well.
        this.reset();
        if (labelNames.length === 0) this.remove();
        if (state) for (const [labels, value] of values(state)) this.inc(labels, value);
      },
    });
  const zeros = (name: string, values: string[], more: Record<string, string> = {}): Values =>
    values.map((value) => [{ [name]: value, ...more }, 0]);
  const inDefault = { tenant: 'default' };

  new Gauge({
    name: 'perdure_store_up',
    help: 'Whether the counts of what is open could be read from PostgreSQL; while it is 0 they are not shown.',
    registers: [registry],
    async collect() {
      this.set((await current()) === null ? 0 : 1);
    },
  });
  gauge('perdure_jobs', 'Jobs that are not final, without the calls of runs.', ['tenant', 'status'], ({ jobs }) => [
    ...zeros('status', OPEN_JOBS, inDefault),
    ...jobs.map(({ tenant, status, count }): Values[number] => [{ tenant: tenantLabel(tenant), status }, count]),
  ]);
  const overdueHelp =
    'How long the first job of each status has been due: scheduled and retrying since their time, queued and running since then.';
  // The worst of all tenants: these are no sums.
  gauge('perdure_jobs_oldest_due_seconds', overdueHelp, ['status'], ({ overdue }) =>
    OPEN_JOBS.map((status) => {
      const seconds = overdue.filter((row) => row.status === status).map((row) => row.seconds);
      return [{ status }, Math.max(0, ...seconds)];
    }),
  );
  gauge('perdure_runs', 'Runs of workflows that are not final.', ['tenant', 'status'], ({ runs }) => [
    ...zeros('status', OPEN_RUNS, inDefault),
    ...runs.map(({ tenant, status, count }): Values[number] => [{ tenant: tenantLabel(tenant), status }, count]),
  ]);
  const deadHelp = 'Dead letters that were neither redriven nor deleted.';
  gauge('perdure_dead_letters', deadHelp, ['tenant', 'reason'], ({ deadLetters }) => [
    ...zeros('reason', DEAD_LETTER_REASONS, inDefault),
    ...deadLetters.map(({ tenant, reason, count }): Values[number] => [
      { tenant: tenantLabel(tenant), reason: reasonLabel(reason) },
      count,
    ]),
  ]);
  gauge('perdure_batches_running', 'Batches with items that are not final.', [], ({ batches }) => [
    [{}, batches.running],
  ]);
  gauge(
    'perdure_batch_items',
    'Items of the batches that run, by whether they are final.',
    ['state'],
    ({ batches }) => [
      [{ state: 'open' }, batches.open],
      [{ state: 'final' }, Math.max(0, batches.items - batches.open)],
    ],
  );
  measureOutboxAndTicks(gauge);
}

type MakeGauge = (name: string, help: string, labelNames: string[], values: (state: ShownState) => Values) => void;

function measureOutboxAndTicks(gauge: MakeGauge): void {
  gauge('perdure_notifications_pending', 'Notifications to be sent, now or later.', [], ({ notifications }) => [
    [{}, notifications.pending],
  ]);
  gauge('perdure_notifications_overdue_seconds', 'How long the first of them has been due.', [], (state) => [
    [{}, state.notifications.overdueSeconds],
  ]);
  gauge('perdure_schedules', 'Schedules there are.', ['state'], ({ schedules }) => [
    [{ state: 'active' }, schedules.active],
    [{ state: 'paused' }, schedules.paused],
  ]);
  gauge('perdure_schedules_next', 'Schedules that fire within 1m, 10m or 1h.', ['within'], ({ schedules }) => [
    [{ within: '1m' }, schedules.next1m],
    [{ within: '10m' }, schedules.next10m],
    [{ within: '1h' }, schedules.next1h],
  ]);
  gauge('perdure_ticks_due', 'Nominal times that have passed and are not decided.', [], ({ ticks }) => [
    [{}, ticks.due],
  ]);
  gauge('perdure_ticks_overdue_seconds', 'How late the first of them is.', [], ({ ticks }) => [
    [{}, Math.max(0, ticks.overdueSeconds)],
  ]);
}
