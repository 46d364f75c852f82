// Every query of every panel and every rule, asked of a real Prometheus that watches the whole product under load.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { freePort } from '../../src/stack/ports.ts';
import { eventually } from '../../src/testing/api.ts';
import { type RunningProcess, startProcess } from '../../src/testing/process.ts';
import { dashboards } from '../src/index.ts';
import { isInstalled, type Prometheus, type Sample, startPrometheus } from './prometheus.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const alerts = join(root, 'grafana', 'alerts');
const LOAD_SECONDS = 20;
/** Longer than all of this takes, also on a slow machine. */
const RANGE_SECONDS = 900;

const installed = isInstalled();
if (!installed) {
  const how = 'Prometheus and promtool are not on the PATH (Debian: apt-get install prometheus).';
  if (process.env.CI) throw new Error(how);
  console.warn(`\n!!! ${how}\n!!! NOTHING IS PROVEN: the queries of dashboards and alerts were not asked.\n`);
}

let folder: string;
let product: RunningProcess;
let prometheus: Prometheus;

describe.runIf(installed)('under load', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-prometheus-'));
    chmodSync(folder, 0o711);
    product = await startProcess(root, 'start', {
      PORT: '0',
      PERDURE_DATA_DIR: join(folder, 'perdure'),
      PERDURE_TEMPORAL_PORT: String(await freePort()),
      PERDURE_TEMPORAL_UI_PORT: String(await freePort()),
    });
    const addressOf = (what: string) => new RegExp(`${what} +http://(\\S+)/metrics`).exec(product.output())?.[1] ?? '';
    prometheus = await startPrometheus(join(folder, 'prometheus'), {
      targets: {
        'perdure-api': addressOf('Metrics'),
        'temporal-sdk': addressOf('of workers'),
        temporal: addressOf('of Temporal'),
      },
      rules: join(alerts, 'perdure.yml'),
    });
    await runLoad(product.url);
  });

  afterAll(async () => {
    await prometheus?.stop();
    await product?.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { title = '', panels = [], templating } of dashboards) {
    describe(title, () => {
      for (const panel of panels) {
        for (const { expr, refId } of ('targets' in panel ? panel.targets : []) as unknown as {
          expr: string;
          refId: string;
        }[]) {
          test(`${panel.title} (${refId}) shows data`, async () => {
            await eventually(async () => hasData(await prometheus.queryRange(filledIn(expr), RANGE_SECONDS)), {
              what: filledIn(expr),
              timeoutMs: 20_000,
            });
          });
        }
      }
      for (const { name, definition = '' } of templating?.list ?? []) {
        const [, metric = '', label] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
        if (label === undefined) continue;
        test(`the variable ${name} has values`, async () => {
          const values = await prometheus.get<string[]>(`/api/v1/label/${label}/values`, { 'match[]': metric });
          expect(values.length).toBeGreaterThan(0);
        });
      }
    });
  }

  test('every rule is evaluated without an error, on metrics that are there', async () => {
    const { groups } = await eventually(async () => {
      const rules = await prometheus.get<{ groups: { rules: Rule[] }[] }>('/api/v1/rules');
      return rules.groups.every((group) => group.rules.every(({ health }) => health !== 'unknown')) && rules;
    });
    const rules = groups.flatMap((group) => group.rules);
    const written = readFileSync(join(alerts, 'perdure.yml'), 'utf8');
    const named = (parse(written) as { groups: { rules: unknown[] }[] }).groups.flatMap((group) => group.rules);
    expect(rules).toHaveLength(named.length);
    for (const { name, health, lastError, query } of rules) {
      expect({ name, health, lastError }).toEqual({ name, health: 'ok', lastError: undefined });
      for (const [metric] of query.matchAll(/\bperdure_\w+/g)) {
        expect(hasData(await prometheus.queryRange(`count(${metric})`, RANGE_SECONDS)), `${name}: ${metric}`).toBe(
          true,
        );
      }
    }
  });
});

describe.runIf(installed)('promtool', () => {
  test.each([
    ['check', 'rules', 'perdure.yml'],
    ['test', 'rules', 'perdure.test.yml'],
  ])('%s %s %s', (...command) => {
    const { status, stdout, stderr } = spawnSync('promtool', command, { cwd: alerts, encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  test('check config prometheus.yml', () => {
    const cwd = join(root, 'grafana');
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], {
      cwd,
      encoding: 'utf8',
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});

interface Rule {
  name: string;
  health: string;
  lastError?: string;
  query: string;
}

/** Nothing is left open: what the load submits is what the panels are asked about. */
async function runLoad(url: string): Promise<void> {
  const load = ['bench/load/main.ts', '--profile', 'mixed', '--jobs', '200', '--seconds', String(LOAD_SECONDS)];
  const child = spawn(process.execPath, ['scripts/run.mjs', ...load, '--wait', '90', '--url', url], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  // 1: a busy machine may not have finished them all in time; the panels must show that too.
  expect([0, 1]).toContain(code);
}

/** As Grafana does, for a choice of "All" and a range of some minutes. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '20s')
    .replaceAll('$__range', `${RANGE_SECONDS}s`)
    .replace(/\$(tenant|host)\b/g, '.*');
}

function hasData(samples: Sample[]): boolean {
  return samples.some(({ values }) => values.some(([, value]) => Number.isFinite(Number(value))));
}
