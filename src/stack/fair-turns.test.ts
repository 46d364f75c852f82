// The Temporal server we start hands out what waits in turns: the boot check that fairness keys are not ignored.
import { randomUUID } from 'node:crypto';

import { Client, Connection } from '@temporalio/client';
import { expect, inject, it } from 'vitest';

import { ofTenant } from '../jobs/of-tenant.ts';
import { eventually } from '../testing/api.ts';

const WAITING = 200;
const SMALL = 10;
/** In the order of their age the first of the ten would come after two hundred. */
const TURNS = 100;

it('ten tasks of one tenant do not wait behind two hundred older ones of another', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  const client = new Client({ connection });
  const taskQueue = `fair-${randomUUID()}`;
  const start = (tenant: string, n: number) =>
    client.workflow.start('nobody', {
      workflowId: `${taskQueue}-${tenant}-${n}`,
      taskQueue,
      priority: ofTenant(tenant).priority,
      workflowExecutionTimeout: '5 minutes',
    });
  const startAll = (tenant: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => start(tenant, n)));
  try {
    await startAll('big', WAITING);
    await startAll('small', SMALL);
    await eventually(async () => (await backlogOf(client, taskQueue)) >= WAITING + SMALL, { what: 'all tasks wait' });
    const order: string[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      const { workflowExecution } = await client.withDeadline(Date.now() + 20_000, () =>
        client.workflowService.pollWorkflowTaskQueue({
          namespace: 'default',
          taskQueue: { name: taskQueue },
          identity: 'fair-turns',
        }),
      );
      order.push(workflowExecution?.workflowId?.includes('-small-') ? 'small' : 'big');
    }
    expect(order.filter((tenant) => tenant === 'small')).toHaveLength(SMALL);
  } finally {
    for (const tenant of ['big', 'small']) {
      const ids = Array.from({ length: tenant === 'big' ? WAITING : SMALL }, (_, n) => `${taskQueue}-${tenant}-${n}`);
      await Promise.all(
        ids.map((id) =>
          client.workflow
            .getHandle(id)
            .terminate()
            .catch(() => undefined),
        ),
      );
    }
    await connection.close();
  }
});

async function backlogOf(client: Client, name: string): Promise<number> {
  const request = { namespace: 'default', taskQueue: { name }, taskQueueType: 1, reportStats: true };
  const { stats } = await client.workflowService.describeTaskQueue(request);
  return Number(stats?.approximateBacklogCount ?? 0);
}
