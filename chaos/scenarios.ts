// Small uses of the product, each with the plan by which it is checked, for processes that die in the middle of it.
import { setTimeout as sleep } from 'node:timers/promises';

import { Client, Connection } from '@temporalio/client';

import { carrierWorkflow } from '../src/contract/temporal.ts';
import { eventually } from '../src/testing/api.ts';
import { behaviourPath } from './behaviours.ts';
import { submit } from './clients.ts';
import type { Scene } from './fault.ts';
import type { Ground } from './ground.ts';
import { DEFAULT_MIX, makePlan, type Mix, type Plan } from './plan.ts';
import { withDatabase } from './sql.ts';

export type Scenario = (scene: Scene, tag: string) => Promise<void>;

/** What they use takes what the processor has left. */
const PATIENCE_MS = 240_000;
const RIDERS = 6;
const PLAIN: Partial<Mix> = { chains: 0, delayed: 0, misbehaving: 0, atMostOnce: 0, shared: 0 };
const WELL = { behaviour: 'well', times: 0 } as const;

/** Slow enough to die in the middle of the call. */
const job: Scenario = (scene, tag) => submitted(scene, planned(scene, tag, { ...PLAIN, slowMs: 300 }));

const once: Scenario = (scene, tag) => submitted(scene, planned(scene, tag, { ...PLAIN, atMostOnce: 1, slowMs: 300 }));

const retried: Scenario = (scene, tag) =>
  submitted(scene, planned(scene, tag, { ...PLAIN, misbehaving: 1, behaviours: ['status503'] }));

/** Its end is a dead letter. */
const rejected: Scenario = (scene, tag) =>
  submitted(scene, planned(scene, tag, { ...PLAIN, misbehaving: 1, behaviours: ['tooLarge'] }));

/** At one moment, so that all but the first ride together. */
const shared: Scenario = async (scene, tag) => {
  const plans = Array.from({ length: RIDERS }, (_, n) =>
    planned(scene, `${tag}r${n}`, { ...PLAIN, shared: 1, slowMs: 300 }),
  );
  await Promise.all(plans.map((plan) => submitted(scene, plan)));
};

/** Their carriers are ended from outside before a worker comes. */
const stranded: Scenario = async (scene, tag) => {
  await shared(scene, tag);
  const carriers = await carriersOf(scene.ground);
  if (carriers.length === 0) scene.complain(`${tag}: none of them rides`);
  const connection = await Connection.connect({ address: scene.world.temporal.address });
  const { workflow } = new Client({ connection });
  // One whose start is late is not there yet; one of an earlier time may have ended, and its riders still wait.
  const isEnded = async (id: string) => {
    const handle = workflow.getHandle(id);
    await handle.terminate('chaos').catch(() => {});
    return handle.describe().then(
      ({ status }) => status.name !== 'RUNNING',
      () => false,
    );
  };
  const terminate = (id: string) => eventually(() => isEnded(id), { what: `the end of ${id}` });
  await Promise.all(carriers.map(terminate)).finally(() => connection.close());
};

const delayed: Scenario = (scene, tag) => submitted(scene, planned(scene, tag, { ...PLAIN, delayed: 1 }));

const dependant: Scenario = async (scene, tag) => {
  const parent = planned(scene, `${tag}p`, { ...PLAIN, slowMs: 1_500 });
  await submitted(scene, parent);
  const id = idOf(scene, parent);
  await submitted(scene, planned(scene, tag, { ...PLAIN, fields: { dependsOn: [id] } }));
};

const run: Scenario = (scene, tag) => submitted(scene, planned(scene, tag, { ...PLAIN, chains: 1 }));

/** What no call can tell, a wait, the run has to write down itself. */
const waiting: Scenario = async (scene, tag) => {
  const plan = planned(scene, tag, { ...PLAIN, chains: 1 });
  const { definition } = plan.body as { definition: { steps: object[] } };
  definition.steps.push({ id: 'pause', wait: { for: '200ms' } });
  await submitted(scene, plan);
};

const canceled: Scenario = async (scene, tag) => {
  const plan = planned(scene, tag, { ...PLAIN, fields: { delay: '1h' } });
  await submitted(scene, plan);
  // Canceled by an earlier try whose answer was lost: 409.
  await patiently(scene, 'POST', `/v1/jobs/${idOf(scene, plan)}/cancel`, undefined, [200, 409]);
};

const notified: Scenario = async (scene, tag) => {
  const url = `${scene.world.oracle.url}${behaviourPath(tag, 'hook', WELL)}`;
  const plan = planned(scene, tag, { ...PLAIN, fields: { notify: [{ on: ['succeeded'], webhook: { url } }] } });
  plan.steps.hook = WELL;
  await submitted(scene, plan);
};

const redriven: Scenario = async (scene, tag) => {
  const old = planned(scene, `${tag}o`, { ...PLAIN, misbehaving: 1, behaviours: ['tooLarge'] });
  await submitted(scene, old);
  const letter = await deadLetterOf(scene, idOf(scene, old));
  const plan = planned(scene, tag, PLAIN);
  const { http } = plan.body as { http: { url: string } };
  const patch = { name: tag, labels: { tag }, http: { url: http.url } };
  const path = `/v1/dead-letters/${letter}/redrive`;
  await patiently(scene, 'POST', path, { patch, newKey: true }, [200, 201], plan.key);
  await found(scene, plan);
};

const batch: Scenario = async (scene, tag) => {
  const plans = Array.from({ length: 5 }, (_, n) => planned(scene, `${tag}i${n}`, { ...PLAIN, slowMs: 300 }));
  const items = plans.map(({ body }) => body);
  // Two at a time, so that it takes several times to take all.
  await patiently(scene, 'POST', '/v1/batches', { items, concurrency: 2 }, [200, 201], `key-${tag}`);
  for (const plan of plans) await found(scene, plan);
};

/** Late enough that it still lies ahead when the API has died and is asked again. */
const scheduled: Scenario = async (scene, tag) => {
  const plan = planned(scene, tag, PLAIN);
  for (let status = 422; status === 422;) {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 20_000).toISOString();
    // Refused: it was not kept before its time had come. One that was kept is answered as it stands.
    ({ status } = await patiently(scene, 'PUT', `/v1/schedules/${tag}`, { at, job: plan.body }, [200, 201, 422]));
  }
  await found(scene, plan);
};

/** Long before its time. */
const triggered: Scenario = async (scene, tag) => {
  const plan = planned(scene, tag, PLAIN);
  const at = new Date(Date.now() + 3_600_000).toISOString();
  await patiently(scene, 'PUT', `/v1/schedules/${tag}`, { at, job: plan.body }, [200, 201]);
  await patiently(scene, 'POST', `/v1/schedules/${tag}/trigger`, undefined, [200, 201], plan.key);
  await found(scene, plan);
};

export const SCENARIOS = {
  ...{ job, once, retried, rejected, delayed, dependant, canceled, notified, redriven },
  ...{ shared, stranded, batch, run, waiting, scheduled, triggered },
};

/** Of jobs that nobody has taken yet. */
async function carriersOf({ databaseUrl }: Ground): Promise<string[]> {
  const text = "select distinct carrier from jobs where status = 'queued' and carrier is not null and batch_id is null";
  const { rows } = await withDatabase(databaseUrl, (client) => client.query<{ carrier: string }>(text));
  return rows.map(({ carrier }) => carrierWorkflow(carrier));
}

function planned({ world, plans, random }: Scene, tag: string, mix: Partial<Mix>): Plan {
  const made = makePlan(tag, world.oracle.url, random, { ...DEFAULT_MIX, ...mix });
  const plan = { ...made, copies: 1, reusesKey: false };
  plans.push(plan);
  return plan;
}

async function submitted({ ground, history }: Scene, plan: Plan): Promise<void> {
  await submit(plan, { apiUrl: ground.apiUrl, history, patienceMs: PATIENCE_MS });
}

function idOf({ history }: Scene, { tag }: Plan): string {
  const id = history.calls.find((call) => call.tag === tag && call.outcome === 'ok')?.id;
  if (!id) throw new Error(`${tag} was not accepted`);
  return id;
}

/** For what was not submitted by itself: its row is the answer. */
async function found(scene: Scene, plan: Plan): Promise<void> {
  const { tag, key } = plan;
  const endsAt = performance.now() + PATIENCE_MS;
  do {
    const { body } = await patiently(scene, 'GET', `/v1/jobs?label=tag:${tag}`, undefined, [200]);
    const [row] = (body as { items: { id: string }[] }).items;
    if (row) {
      await scene.history.record({ tag, key, op: 'submit' }, async () => Response.json(row));
      return;
    }
    await sleep(200);
  } while (performance.now() < endsAt);
  scene.complain(`there is no job ${tag}`);
}

async function deadLetterOf(scene: Scene, jobId: string): Promise<string> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const { body } = await patiently(scene, 'GET', '/v1/dead-letters?limit=200', undefined, [200]);
    const letter = (body as { items: { id: string; jobId: string }[] }).items.find((one) => one.jobId === jobId);
    if (letter) return letter.id;
    if (performance.now() > endsAt) throw new Error(`${jobId} has no dead letter`);
    await sleep(200);
  }
}

/** Asks until one of these is the answer, whatever dies meanwhile. */
async function patiently(
  { ground }: Scene,
  method: string,
  path: string,
  content: object | undefined,
  expected: number[],
  key?: string,
): Promise<{ status: number; body: unknown }> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`${ground.apiUrl}${path}`, {
      method,
      headers: {
        ...(content ? { 'content-type': 'application/json' } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(content ? { body: JSON.stringify(content) } : {}),
      signal: AbortSignal.timeout(15_000),
    }).catch((error: unknown) => error as Error);
    if (!(answer instanceof Error) && expected.includes(answer.status)) {
      return { status: answer.status, body: await answer.json() };
    }
    const isRefused = !(answer instanceof Error) && answer.status < 500;
    if (isRefused) throw new Error(`${method} ${path} was answered ${answer.status}: ${await answer.text()}`);
    if (performance.now() > endsAt) throw new Error(`${method} ${path}: no answer in ${PATIENCE_MS} ms`);
    await sleep(250);
  }
}
