// Who gets to start at once when many want to.
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';

import { createLog } from '../telemetry/log.ts';
import { eventually } from '../testing/api.ts';
import { newJob } from './accept.ts';
import { parseEgress } from './http/egress.ts';
import { parseJobSpec } from './spec/parse-job-spec.ts';
import { createStarter } from './start.ts';

const parsed = parseJobSpec({ http: { url: 'https://example.com/' } }, { policy: parseEgress('any'), now: new Date() });

function jobOf(tenant: string) {
  if (!parsed.ok) throw new Error('not a spec');
  return newJob({ tenant, spec: parsed.spec });
}

it('a tenant that starts thousands leaves places for others, and each start names its tenant', async () => {
  const asked: { tenant: string; named: unknown }[] = [];
  let answer = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const workflow = {
    start: (_type: string, { priority, typedSearchAttributes }: Record<string, { fairnessKey?: string }>) => {
      const named = JSON.stringify(typedSearchAttributes);
      asked.push({ tenant: priority?.fairnessKey ?? '', named });
      return answered;
    },
  };
  const client = { withDeadline: (_at: number, work: () => unknown) => work(), workflow } as unknown as Client;
  const starter = createStarter({ client, taskQueue: 'q', log: createLog('silent'), isEncrypted: false });
  for (let n = 0; n < 5_000; n++) starter.startSoon(jobOf('big'));
  for (let n = 0; n < 50; n++) starter.startSoon(jobOf('small'));
  await eventually(() => asked.length >= 40);
  expect(asked).toHaveLength(40);
  answer();
  await starter.drain();
  const ofTenant = (tenant: string) => asked.filter((one) => one.tenant === tenant);
  expect(ofTenant('big')).toHaveLength(200);
  expect(ofTenant('small')).toHaveLength(20);
  expect(ofTenant('small')[0]?.named).toContain('small');
  // The next places are taken in turns, however many of the other wait.
  expect(asked.slice(0, 80).filter(({ tenant }) => tenant === 'small')).toHaveLength(20);
  starter.startSoon(jobOf('big'));
  await starter.drain();
  expect(ofTenant('big')).toHaveLength(201);
});

/** Starts that end as they are told, in the order in which they began. */
function createSlowStarter() {
  const begun: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const workflow = {
    start: () => new Promise<void>((resolve, reject) => begun.push({ resolve, reject })),
  };
  const client = { withDeadline: (_at: number, work: () => unknown) => work(), workflow } as unknown as Client;
  return { begun, starter: createStarter({ client, taskQueue: 'q', log: createLog('silent'), isEncrypted: false }) };
}

it.each([
  ['while others arrive does not hold up the next', true, 3],
  ['and nobody arrives leaves the next to the relay', false, 2],
])('a start that fails %s', async (_what, otherArrives, expected) => {
  const { begun, starter } = createSlowStarter();
  starter.startSoon(jobOf('big'));
  const small = starter.begin(jobOf('small'));
  await eventually(() => begun.length === 2);
  if (otherArrives) {
    begun[1]?.resolve();
    await small;
  }
  begun[0]?.reject(new Error('deadline'));
  if (!otherArrives) begun[1]?.reject(new Error('deadline'));
  await starter.drain();
  const next = starter.begin(jobOf('small'));
  await Promise.race([next, eventually(() => begun.length === 3)]);
  expect(begun).toHaveLength(expected);
  begun[2]?.resolve();
  await next;
});
