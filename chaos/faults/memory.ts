// More long calls at once than a small worker has memory for, if each cost much.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../src/stack/ports.ts';
import { behaviourPath } from '../behaviours.ts';
import type { Fault, Scene } from '../fault.ts';
import { MANY } from '../plan.ts';
import { count } from '../sql.ts';

const LIMIT_MIB = 512;
const ALLOWED_SHARE = 0.8;
/** What docs/production.md says for this size; each of the worker's threads has a heap of its own. */
const HEAP_MIB = 128;
const CACHED_WORKFLOWS = 200;
/** As many as it may make at once are open for so long; the others wait for them. */
const CALL_MS = 1_000;
const WORKED_OFF_WITHIN_MS = 300_000;

export const MEMORY: Fault = manyLongCalls();

function manyLongCalls(): Fault {
  let metricsPort = 0;
  return {
    id: 'F28',
    company: 'others',
    title: `Thousands of long jobs at once for one worker of ${LIMIT_MIB} MiB`,
    jobs: { short: 300, full: 3_000 },
    perSecond: 250,
    // It comes when all of them wait for it.
    workers: 0,
    environment: { PERDURE_WORKFLOW_CACHE: String(CACHED_WORKFLOWS) },
    mix: { ...MANY, chains: 0, delayed: 0, misbehaving: 0, slowMs: 1 },
    whyNot: () => (existsSync('/proc/self/status') ? null : 'the memory of a process is not to be seen here'),
    async prepare() {
      metricsPort = await freePort();
      const ofWorker = {
        NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
        PERDURE_METRICS_PORT: String(metricsPort),
      };
      return {
        environment: () => ({}),
        figures: () => ({}),
        launch: (role) => (role === 'worker' ? { environment: ofWorker } : {}),
        close: async () => {},
      };
    },
    plan(plans, { oracle }) {
      for (const plan of plans) {
        const step = { behaviour: 'slow', times: CALL_MS } as const;
        plan.steps.call = step;
        const http = plan.body.http as object;
        plan.body.http = { ...http, url: `${oracle.url}${behaviourPath(plan.tag, 'call', step)}`, timeout: '5m' };
      }
    },
    async disturb(scene) {
      const { figures, ground, isOver } = scene;
      while (!isOver()) await sleep(50);
      const countOpen = () => count(ground.databaseUrl, 'jobs where finished_at is null');
      Object.assign(figures, { mostOpen: await countOpen(), mostCalls: 0, mostCachedWorkflows: 0 });
      const { pid } = await ground.start('worker');
      figures.idleMiB = peakOf(pid);
      const endsAt = Date.now() + WORKED_OFF_WITHIN_MS;
      while (Date.now() < endsAt && (await countOpen()) > 0) {
        await lookInside(figures, metricsPort);
        await sleep(250);
      }
    },
    async afterwards(scene) {
      const { figures, complain, ground } = scene;
      if (!(await lookInside(figures, metricsPort))) complain('the worker does not say how many workflows it keeps');
      const peakMiB = Math.max(...ground.running.worker.map(({ pid }) => peakOf(pid)));
      figures.peakMiB = peakMiB;
      if (!(peakMiB < LIMIT_MIB * ALLOWED_SHARE)) complain(`the worker took ${peakMiB} MiB of ${LIMIT_MIB}`);
      if (Number(figures.mostCachedWorkflows) > CACHED_WORKFLOWS) {
        complain(`${figures.mostCachedWorkflows} workflows in a cache for ${CACHED_WORKFLOWS}`);
      }
      if (Number(figures.mostOpen) < scene.plans.length) complain(`only ${figures.mostOpen} jobs were open at once`);
    },
  };
}

/** What the kernel has counted: no moment is missed. */
function peakOf(pid: number): number {
  const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1_024);
}

/** False while the worker has said nothing of it yet. */
async function lookInside(figures: Scene['figures'], port: number): Promise<boolean> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const gauge = (name: string, labels: RegExp) => {
    const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && labels.test(one));
    return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
  const cached = gauge('temporal_sticky_cache_size', /./);
  const calls = gauge('temporal_worker_task_slots_used', /worker_type="ActivityWorker"/);
  figures.mostCachedWorkflows = Math.max(Number(figures.mostCachedWorkflows), cached ?? 0);
  figures.mostCalls = Math.max(Number(figures.mostCalls), calls ?? 0);
  return cached !== null;
}
