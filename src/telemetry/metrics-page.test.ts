// docs/metrics.md is what the registry says: names, labels, meanings (`npm test -- src/telemetry/metrics-page.test.ts -u`).
import { join } from 'node:path';

import { type MetricObject } from 'prom-client';
import { expect, inject, test } from 'vitest';

import { measureFleet } from './fleet-metrics.ts';
import { createMetrics } from './metrics.ts';
import { measurePool } from './process-metrics.ts';
import { measureState } from './state-metrics.ts';

const INTRODUCTION = `# Metrics

Every process of Perdure shows its metrics at \`/metrics\`: one with an API on its port, a worker of its own on \`PERDURE_WORKER_PORT\`.
They need no token and name no job, run or schedule. Labels have closed sets of values; those that users can make up (\`tenant\`, \`host\`,
and the reasons of dead letters) keep their first 100 values, later ones are \`other\`.

Counters count what this process did: sum them over the processes. Gauges marked *state* are read from PostgreSQL by every process with an
API, at most every four seconds and never for more than a twentieth of one connection's time: they are all the same, so take \`max\`.

Besides these there are the metrics of Temporal's SDK (\`temporal_…\`) on \`PERDURE_METRICS_PORT\` of each worker, and those of the Temporal
server on its own port (\`PERDURE_TEMPORAL_METRICS_PORT\` of the embedded one). \`perdure start\` prints where they are.

Dashboards are in \`grafana/dashboards\` (made by \`grafana/src\`), alerts in \`grafana/alerts\`, the pages that help with them in \`docs/runbooks\`.
`;

function allMetrics(): MetricObject[] {
  const unread = () => Promise.reject(new Error('the page shows no values'));
  const metrics = createMetrics();
  measurePool(metrics.registry, () => ({ total: 0, idle: 0, waiting: 0 }), 1);
  measureState(metrics, unread);
  measureFleet(metrics, unread);
  return metrics.registry.getMetricsAsArray();
}

/** What the library keeps of a metric; its types leave the labels and the collector out. */
type Metric = MetricObject & { labelNames?: string[]; collect?: unknown };

const KINDS = ['counter', 'gauge', 'histogram', 'summary'];

function tableOf(metrics: Metric[]): string {
  const rows = metrics
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, help, type, labelNames = [], collect }) => {
      const kind = typeof type === 'string' ? type : (KINDS[type as number] ?? String(type));
      const isState = name.startsWith('perdure_') && collect !== undefined && !name.startsWith('perdure_db_');
      const labels = labelNames.map((label) => `\`${label}\``).join(' ');
      return `| \`${name}\` | ${kind}${isState ? ', state' : ''} | ${labels} | ${help} |`;
    });
  return ['| Name | Kind | Labels | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

test('docs/metrics.md lists every metric there is', async () => {
  const metrics = allMetrics() as Metric[];
  const isOurs = ({ name }: Metric) => name.startsWith('perdure_');
  const page = [
    INTRODUCTION,
    '## Perdure\n',
    tableOf(metrics.filter(isOurs)),
    '\n## Node and the process\n',
    tableOf(metrics.filter((metric) => !isOurs(metric))),
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot(join(inject('repoRoot'), 'docs', 'metrics.md'));
});

test('every metric has a help text, and counters end in _total', () => {
  for (const { name, help, type } of allMetrics().filter((metric) => metric.name.startsWith('perdure_'))) {
    expect(help.length, name).toBeGreaterThan(5);
    if (String(type) === 'counter') expect(name).toMatch(/_total$/);
  }
});
