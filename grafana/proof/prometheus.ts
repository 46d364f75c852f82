// A Prometheus of our own: scrapes what it is told every second, and answers queries.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../../src/stack/ports.ts';
import { eventually } from '../../src/testing/api.ts';

export interface Sample {
  metric: Record<string, string>;
  values: [at: number, value: string][];
}

export interface Prometheus {
  queryRange(expr: string, seconds: number): Promise<Sample[]>;
  get<Data>(path: string, query?: Record<string, string>): Promise<Data>;
  stop(): Promise<void>;
}

export function isInstalled(): boolean {
  return ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).error === undefined);
}

export async function startPrometheus(
  folder: string,
  { targets, rules }: { targets: Record<string, string>; rules: string },
): Promise<Prometheus> {
  mkdirSync(folder, { recursive: true });
  const scrapes = Object.entries(targets).map(([job_name, target]) => ({
    job_name,
    static_configs: [{ targets: [target] }],
  }));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '2s' },
    rule_files: [rules],
    scrape_configs: scrapes,
  };
  const configFile = join(folder, 'prometheus.yml');
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(config));
  const port = await freePort();
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually(isReady, { what: 'Prometheus', timeoutMs: 30_000 });
  const get = async <Data>(path: string, query: Record<string, string> = {}): Promise<Data> => {
    const response = await fetch(`${url}${path}?${new URLSearchParams(query).toString()}`);
    const answer = (await response.json()) as { status: string; error?: string; data: Data };
    if (answer.status !== 'success') throw new Error(`${answer.error ?? 'no reason'}: ${query.query ?? path}`);
    return answer.data;
  };
  return {
    get,
    async queryRange(expr, seconds) {
      const end = Date.now() / 1_000;
      const range = { query: expr, start: String(end - seconds), end: String(end), step: '2' };
      return (await get<{ result: Sample[] }>('/api/v1/query_range', range)).result;
    },
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
