// Who gets to start at once when many want to.
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';

import { createLog } from '../telemetry/log.ts';
import { newJob } from './accept.ts';
import { parseEgress } from './http/egress.ts';
import { parseJobSpec } from './spec/parse-job-spec.ts';
import { createStarter } from './start.ts';

function jobOf(tenant: string) {
  const parsed = parseJobSpec(
    { http: { url: 'https://example.com/' } },
    { policy: parseEgress('any'), now: new Date() },
  );
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
  const ofTenant = (tenant: string) => asked.filter((one) => one.tenant === tenant);
  expect(ofTenant('big')).toHaveLength(200);
  for (let n = 0; n < 50; n++) starter.startSoon(jobOf('small'));
  expect(ofTenant('small')).toHaveLength(20);
  expect(ofTenant('small')[0]?.named).toContain('small');
  answer();
  await starter.drain();
  starter.startSoon(jobOf('big'));
  await starter.drain();
  expect(ofTenant('big')).toHaveLength(201);
});
