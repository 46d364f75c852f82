// Workflows that others end, delete or reset in Temporal, and jobs that many hands pull at.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';

import { eventually } from '../../src/testing/api.ts';
import type { Fault, Scene } from '../fault.ts';
import { readSends } from '../ledger.ts';
import { withDatabase } from '../sql.ts';

const NAMESPACE = 'default';
const REPAIRED_WITHIN_MS = 90_000;
const HANDS = 50;

export const WORKFLOW_FAULTS: Fault[] = [
  {
    id: 'F10',
    company: 'others',
    title: 'Fifty hands that cancel, run now and read each job while it runs and is tried again',
    jobs: { short: 30, full: 200 },
    perSecond: 10,
    mix: { chains: 0, misbehaving: 0.5, slowMs: 100 },
    async disturb(scene) {
      scene.figures.answers = 0;
      const seen = new Set<string>();
      while (!scene.isOver()) {
        const fresh = scene.history.calls.flatMap(({ id }) => (id !== null && !seen.has(id) ? [id] : []));
        for (const id of new Set(fresh)) {
          seen.add(id);
          await pullAt(scene, id);
        }
        await sleep(20);
      }
    },
    budget: () => ({ dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0, alsoEnds: ['canceled'] }),
  },
  {
    id: 'F14',
    company: 'others',
    isQuiet: true,
    title: 'Histories deleted, then the same keys again and every row looked at by the relay',
    jobs: { short: 40, full: 100 },
    mix: { chains: 0, shared: 0 },
    async afterwards(scene) {
      const sentBefore = ownSends(scene).length;
      await withTemporal(scene, async (client) => {
        for (const id of jobIds(scene)) {
          await client.workflowService.deleteWorkflowExecution({
            namespace: NAMESPACE,
            workflowExecution: { workflowId: id },
          });
        }
      });
      await askAgain(scene);
      await lookAtAll(scene);
      const again = ownSends(scene).length - sentBefore;
      if (again > 0) scene.complain(`${again} requests after the histories were gone`);
    },
  },
  {
    id: 'F15',
    company: 'others',
    title: 'Workflows terminated, deleted or reset from outside',
    jobs: { short: 30, full: 150 },
    mix: { chains: 0, delayed: 0, misbehaving: 0, fields: { delay: '30s' } },
    async disturb(scene) {
      while (!scene.isOver()) await sleep(50);
      const at = Date.now();
      await withTemporal(scene, async (client) => {
        for (const [n, id] of jobIds(scene).entries()) await endFromOutside(scene, client, id, n % 3);
      });
      scene.healed(at);
    },
    async afterwards(scene) {
      await withTemporal(scene, async (client) => {
        for (const [n, id] of jobIds(scene).entries()) if (n % 3 === 2) await reset(client, id);
      });
      await lookAtAll(scene);
    },
    budget: () => ({ dupSends: { atLeastOnce: 0, atMostOnce: 0 }, unknown: 0, alsoEnds: ['failed'] }),
    bounds: { recoveryP99Ms: REPAIRED_WITHIN_MS },
  },
];

function jobIds({ history }: Scene): string[] {
  return [...new Set(history.calls.flatMap(({ id }) => (id === null ? [] : [id])))];
}

function ownSends({ world, plans }: Scene) {
  const tags = new Set(plans.map(({ tag }) => tag));
  return readSends(world, (tag) => tags.has(tag));
}

async function pullAt({ ground, figures, complain }: Scene, id: string): Promise<void> {
  const hands = Array.from({ length: HANDS }, async (_, n) => {
    const [method, path] = [
      ['POST', '/cancel'],
      ['POST', '/run-now'],
      ['GET', ''],
      ['GET', '/attempts'],
    ][n % 4] as [string, string];
    const { status } = await fetch(`${ground.apiUrl}/v1/jobs/${id}${path}`, { method });
    figures.answers = Number(figures.answers) + 1;
    if (status >= 500) complain(`${method} ${id}${path} was answered ${status}`);
  });
  await Promise.all(hands);
}

export async function withTemporal(scene: Scene, work: (client: Client) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address: scene.world.temporal.address });
  try {
    await work(new Client({ connection, namespace: NAMESPACE }));
  } finally {
    await connection.close();
  }
}

async function endFromOutside(scene: Scene, client: Client, id: string, way: number): Promise<void> {
  if (way === 0) await client.workflow.getHandle(id).terminate('chaos');
  if (way === 1) {
    await client.workflowService.deleteWorkflowExecution({
      namespace: NAMESPACE,
      workflowExecution: { workflowId: id },
    });
  }
  scene.figures[way === 0 ? 'terminated' : way === 1 ? 'deleted' : 'reset'] = Math.ceil(jobIds(scene).length / 3);
}

/** To the end of its first task: what was done since is done again, as far as the workflow is concerned. */
async function reset(client: Client, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  const finish = events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed);
  const { runId } = await handle.describe();
  await client.workflowService.resetWorkflowExecution({
    namespace: NAMESPACE,
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: finish?.eventId ?? null,
    requestId: randomUUID(),
    reason: 'chaos',
  });
}

/** As clients would: the same content under the same key is the same job. */
async function askAgain({ ground, plans, history, complain }: Scene): Promise<void> {
  for (const { tag, key, body } of plans) {
    const call = await history.record({ tag, key, op: 'submit' }, () =>
      fetch(`${ground.apiUrl}/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      }),
    );
    if (call.status !== 200) complain(`${tag} was answered ${call.status} the second time`);
  }
}

/** Makes the relay compare every job with Temporal, and waits until it has. */
async function lookAtAll({ ground }: Scene): Promise<void> {
  await withDatabase(ground.databaseUrl, async (client) => {
    await client.query('update jobs set check_at = now()');
    await eventually(
      async () => (await client.query('select 1 from jobs where check_at <= now() limit 1')).rowCount === 0,
      { timeoutMs: 60_000, what: 'the relay has looked at every job' },
    );
  });
}
