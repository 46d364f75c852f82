// A run whose history grows long goes on in a new execution, and loses nothing on the way.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { RUN_CHANGED_SIGNAL } from '../../contract/run.ts';
import { type Api, createApi, eventually } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, statuses, stepOf, unique } from '../../testing/runs.ts';

/** More events than the server likes to see in one history. */
const NEWS = 4_300;
const AT_ONCE = 50;
const ENDED = { first: 'succeeded', never: 'skipped' };

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

test('steps that wait, that ended and whose output is used later survive a new execution', async () => {
  const path = unique('/long');
  const run = await start({
    steps: [
      { id: 'first', http: { url: `${receiver.url}${path}` } },
      { id: 'never', if: 'false', transform: 1 },
      { id: 'hold', dependsOn: ['first'], waitFor: { signal: 'go', timeout: '1h' } },
      { id: 'last', dependsOn: ['hold', 'never'], transform: '${ steps.first.output.ok }' },
    ],
    output: '${ steps.hold.output }',
  });
  await eventually(async () => (await read(run.id)).status === 'waiting');
  const handle = instance.services.client.workflow.getHandle(run.id);
  const firstExecution = (await handle.describe()).runId;
  for (let sent = 0; sent < NEWS; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => handle.signal(RUN_CHANGED_SIGNAL)));
  }
  await eventually(async () => (await handle.describe()).runId !== firstExecution, { what: 'a new execution' });
  expect(statuses(await read(run.id))).toEqual({ ...ENDED, hold: 'waiting', last: 'pending' });
  await api.post(`/v1/runs/${run.id}/signals/go`, { n: 1 });
  const done = await ended(run.id);
  expect(done).toMatchObject({ status: 'succeeded', output: { n: 1 } });
  expect(stepOf(done, 'last')).toMatchObject({ output: true });
  expect(receiver.at(path)).toHaveLength(1);
});
