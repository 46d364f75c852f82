// A worker and its client in one process, without a database of their own: `textbook` or `floor`.
import { randomUUID } from 'node:crypto';

import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { request } from 'undici';

import { serveOrders } from '../child.ts';
import { type Done, inParallel, type Order, timed, timesOf } from '../system.ts';

const { BASELINE: kind = 'textbook', RECEIVER_URL = '', TEMPORAL_ADDRESS: address = '' } = process.env;
const isFloor = kind === 'floor';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const native = await NativeConnection.connect({ address });
// An eager start needs the worker's own connection.
const connection: ConnectionLike = isFloor ? native : await Connection.connect({ address });
const client = new Client({ connection });
const taskQueue = `bench-${kind}-${randomUUID()}`;
const worker = await Worker.create({
  connection: native,
  taskQueue,
  workflowsPath: process.env.WORKFLOWS_PATH ?? '',
  activities: {
    async call(url: string): Promise<string> {
      const { statusCode, body } = await request(url);
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      return body.text();
    },
  },
});
void worker.run();

const execute = (n: number) =>
  client.workflow.execute(kind, {
    workflowId: randomUUID(),
    taskQueue,
    args: [`${RECEIVER_URL}/${n}`],
    ...(isFloor ? { requestEagerStart: true } : {}),
  });

serveOrders<Order>(async ({ suite, count, submitters }): Promise<Done> => {
  if (suite === 'latency') return timesOf(count, execute);
  return { ms: await timed(() => inParallel(count, submitters, execute)) };
});
