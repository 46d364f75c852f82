// A tenant with 10,000 waiting jobs does not hold up another one's ten.
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { JobSpec } from './contract/job.ts';
import { parseJobSpec } from './jobs/spec/parse-job-spec.ts';
import { eventually } from './testing/api.ts';
import { type Instance, startInstance } from './testing/instance.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';

const WAITING = 10_000;
/** What ends before the ten are sent. */
const SURPLUS = 3_000;
/** By then relay, Temporal and worker are busy with the big one. */
const BEGUN = 300;
const TARGET_MS = 1_000;

let instance: Instance;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.on('/', (_request, response) => void setTimeout(() => response.end('{}'), TARGET_MS));
  instance = await startInstance();
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

function specOf(tenant: string): JobSpec {
  const { getPolicy } = instance.services;
  const parsed = parseJobSpec({ http: { url: `${receiver.url}/${tenant}` } }, { policy: getPolicy(), now: new Date() });
  if (!parsed.ok) throw new Error('not a spec');
  return parsed.spec;
}

/** As other API processes have accepted them: the relay starts them. */
async function waitFor(tenant: string, count: number): Promise<void> {
  await instance.services.db.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at, check_at)
     select 'job_' || md5(n::text), $1, 'queued', $2::jsonb, '127.0.0.1', '{}', md5(n::text), now(), now(), now()
     from generate_series(1, $3::integer) n`,
    [tenant, JSON.stringify(specOf(tenant)), count],
  );
}

/** From acceptance to the end, of ten jobs at a time; slowest first. */
async function timesOfTen(): Promise<number[]> {
  const spec = specOf('small');
  const accepted = await Promise.all(
    Array.from({ length: 10 }, () => instance.services.accept({ tenant: 'small', spec })),
  );
  const ids = accepted.flatMap((each) => (each.kind === 'created' ? [each.job.id] : []));
  return eventually(
    async () => {
      const rows = await instance.services.db.query<{ ms: number }>(
        `select extract(epoch from finished_at - created_at)::float8 * 1000 as ms from jobs
         where id = any($1) and status = 'succeeded' order by ms desc`,
        [ids],
      );
      return rows.length === ids.length && rows.map(({ ms }) => Math.round(ms));
    },
    { timeoutMs: 120_000, what: 'ten jobs' },
  );
}

async function stateOfBig(): Promise<{ waiting: number; started: number; running: number }> {
  const [row] = await instance.services.db.query<{ waiting: number; started: number; running: number }>(
    `select count(*)::int as waiting, (count(*) filter (where seen_in_temporal))::int as started,
       (count(*) filter (where status = 'running'))::int as running
     from jobs where tenant = 'big' and finished_at is null`,
  );
  return row ?? { waiting: 0, started: 0, running: 0 };
}

it('ten jobs of one tenant beside 10,000 of another take at most three times as long as alone', async () => {
  const alone = [...(await timesOfTen()), ...(await timesOfTen())].sort((a, b) => b - a);
  console.log({ alone });
  await waitFor('big', WAITING + SURPLUS);
  const before = await eventually(
    async () => {
      const state = await stateOfBig();
      return WAITING + SURPLUS - state.waiting + state.started >= BEGUN && state;
    },
    { timeoutMs: 90_000, what: 'much of the big one has begun' },
  );
  console.log({ before });
  const beside: number[] = [];
  for (let round = 0; round < 3; round++) {
    beside.push(...(await timesOfTen()));
    console.log({ beside: beside.slice(-10), state: await stateOfBig() });
  }
  beside.sort((a, b) => b - a);
  const after = await stateOfBig();
  expect(after.waiting).toBeGreaterThanOrEqual(WAITING);
  expect(beside[0]).toBeLessThanOrEqual(3 * (alone[0] ?? 0));
}, 180_000);
