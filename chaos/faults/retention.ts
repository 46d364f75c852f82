// Old jobs that are removed while new ones come: nobody is held up, and a key means what it meant before.
import { setTimeout as sleep } from 'node:timers/promises';

import type pg from 'pg';

import { eventually } from '../../src/testing/api.ts';
import { behaviourPath } from '../behaviours.ts';
import type { Fault, Scene } from '../fault.ts';
import { compare, submissionsIn } from '../latency.ts';
import { readSends } from '../ledger.ts';
import { MANY } from '../plan.ts';
import { count, withDatabase } from '../sql.ts';

const OLD = { short: 4_000, full: 80_000 };
const AT_ONCE = 1_000;
/** Jobs that were really run, and whose keys are used again when they are gone. */
const AGED = 40;
/** Older than jobs are kept here and younger than any key may be removed; and older than both. */
const AGE_DAYS = { keyStays: 10, keyGoes: 40 };
const LONG_RETENTION = '365d';
const RETENTION = '5d';
/** With load and without removal, for comparison. */
const PERIOD_MS = { short: 2_000, full: 30_000 };
const REMOVED_WITHIN_MS = 150_000;
/** Longer than the pause between two portions. */
const GOES_ON_MS = 3_000;

export const RETENTION_UNDER_LOAD: Fault = retentionUnderLoad();

function retentionUnderLoad(): Fault {
  let aged: Aged[] = [];
  return {
    id: 'F35',
    title: `Old jobs, their attempts and keys removed under load (${OLD.full} of them, ${OLD.short} in a short run)`,
    jobs: { short: 200, full: 4_800 },
    perSecond: 60,
    mix: MANY,
    async before(scene) {
      await keepFor(scene, LONG_RETENTION);
      aged = await makeAged(scene);
      const [model] = aged;
      if (model) await multiply(scene, model, OLD[scene.isShort ? 'short' : 'full']);
    },
    async disturb(scene) {
      const { ground, figures, history, complain, isShort } = scene;
      // The same again without removal: what it is compared with.
      const from = Date.now();
      await sleep(PERIOD_MS[isShort ? 'short' : 'full']);
      const at = Date.now();
      await keepFor(scene, RETENTION);
      let isRemoved = false;
      const asking = askAgain(scene, aged, () => isRemoved);
      if (!(await isGone(ground.databaseUrl))) complain('what is old is still there');
      isRemoved = true;
      figures.removedMs = Date.now() - at;
      figures.askedAgain = await asking;
      const before = submissionsIn(history.calls, { from, until: at });
      const during = submissionsIn(history.calls, { from: at, until: Date.now() });
      const { slower, ...compared } = compare(before, during);
      Object.assign(figures, compared);
      if (slower !== null && !isShort) complain(`submissions during the removal: ${slower}`);
    },
    async afterwards(scene) {
      const { ground, complain, world } = scene;
      const made = OLD[scene.isShort ? 'short' : 'full'];
      const left = () => count(ground.databaseUrl, `idempotency_keys where key like 'old-%'`);
      // They go after the jobs; whatever removes too many would go on.
      await eventually(async () => (await left()) <= made / 2, { timeoutMs: REMOVED_WITHIN_MS }).catch(() => false);
      await sleep(GOES_ON_MS);
      const kept = await left();
      if (kept !== made / 2) complain(`${kept} keys of removed jobs instead of ${made / 2}`);
      const again = readSends(world, (tag) => tag.startsWith('aged-')).length - AGED;
      if (again !== 0) complain(`${again} calls too many of jobs whose keys were used again`);
    },
  };
}

/** Asked seldom, and of an index: counting them again and again was what held up the others. */
async function isGone(databaseUrl: string): Promise<boolean> {
  const anyOld = `(select 1 from jobs where finished_at < now() - interval '5 days' order by finished_at, id limit 1) old`;
  for (const endsAt = Date.now() + REMOVED_WITHIN_MS; Date.now() < endsAt; await sleep(1_000)) {
    if ((await count(databaseUrl, anyOld)) === 0) return true;
  }
  return false;
}

interface Aged {
  id: string;
  key: string;
  body: object;
}

/** Jobs of ten days ago: run by the product, and then moved into the past with their keys. */
async function makeAged(scene: Scene): Promise<Aged[]> {
  const { ground, world } = scene;
  const aged = await Promise.all(
    Array.from({ length: AGED }, async (_, n) => {
      const url = `${world.oracle.url}${behaviourPath(`aged-${n}`, 'call', { behaviour: 'well', times: 0 })}`;
      const body = { http: { method: 'POST', url } };
      const { id } = await ground.perdure.jobs.submit(body, { idempotencyKey: `aged-${n}`, wait: '20s' });
      return { id, key: `aged-${n}`, body };
    }),
  );
  const ids = aged.map(({ id }) => id);
  const isOver = async () =>
    (await count(ground.databaseUrl, `jobs where ${among(ids)} and finished_at is null`)) === 0;
  await eventually(isOver, { timeoutMs: 60_000, what: 'the jobs to be aged have ended' });
  const past = `interval '${AGE_DAYS.keyStays} days'`;
  await withDatabase(ground.databaseUrl, async (client) => {
    await client.query(`update jobs set created_at = created_at - ${past}, finished_at = finished_at - ${past},
      check_at = null where ${among(ids)}`);
    await client.query(`update idempotency_keys set created_at = created_at - ${past} where key like 'aged-%'`);
  });
  return aged;
}

const among = (ids: string[]) => `id in (${ids.map((id) => `'${id}'`).join(', ')})`;

/** Copies of one that was really run; half of their keys are as old as a key has to become. */
async function multiply({ ground }: Scene, model: Aged, copies: number): Promise<void> {
  await withDatabase(ground.databaseUrl, async (client) => {
    for (let first = 1; first <= copies; first += AT_ONCE) {
      const last = Math.min(copies, first + AT_ONCE - 1);
      await client.query('begin');
      await copy(client, 'jobs', { of: 'id', model: model.id, first, last }, `'id', ${OLD_ID}, 'finished_at', ${AGE}`);
      const attempt = `'id', 'att_old' || n, 'job_id', ${OLD_ID}`;
      await copy(client, 'attempts', { of: 'job_id', model: model.id, first, last }, attempt);
      const key = `'key', 'old-' || n, 'resource_id', ${OLD_ID}, 'created_at', ${AGE}`;
      await copy(client, 'idempotency_keys', { of: 'resource_id', model: model.id, first, last }, key);
      await client.query('commit');
    }
  });
}

const OLD_ID = `'job_old' || n`;
const AGE = `now() - case when n % 2 = 0 then interval '${AGE_DAYS.keyStays} days'
  else interval '${AGE_DAYS.keyGoes} days' end - n * interval '1 millisecond'`;

/** Whatever columns the table has. */
async function copy(
  client: pg.Client,
  table: string,
  { of, model, first, last }: { of: string; model: string; first: number; last: number },
  changes: string,
): Promise<void> {
  await client.query(
    `insert into ${table} select changed.* from ${table} model, generate_series($2::int, $3::int) n,
       jsonb_populate_record(model, jsonb_build_object(${changes})) changed where model.${of} = $1`,
    [model, first, last],
  );
}

async function keepFor({ ground }: Scene, retention: string): Promise<void> {
  const answer = await fetch(`${ground.apiUrl}/v1/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ retention }),
  });
  if (!answer.ok) throw new Error(`the retention was not changed: ${answer.status} ${await answer.text()}`);
}

/** Under the key of a job that is being removed, or has been: the same content is that job, other content is refused. */
async function askAgain({ ground, complain }: Scene, aged: Aged[], isOver: () => boolean): Promise<number> {
  let asked = 0;
  const ask = async (key: string, body: object) => {
    asked += 1;
    const answer = await fetch(`${ground.apiUrl}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as { id?: string; code?: string } };
  };
  for (let rounds = 0; rounds < 2 || !isOver(); rounds++) {
    for (const { id, key, body } of aged) {
      const same = await ask(key, body);
      if (same.status !== 200 || same.body.id !== id) complain(`${key} is ${same.status} ${same.body.id} now`);
      const other = await ask(key, { ...body, priority: 5 });
      if (other.body.code !== 'idempotencyKeyReused') complain(`${key} was taken for other content: ${other.status}`);
      // A load of its own would be taken for what the removal costs.
      await sleep(200);
    }
  }
  return asked;
}
