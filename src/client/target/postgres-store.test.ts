// The store against a real PostgreSQL: who holds a key is decided there.
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createPostgresStore, idempotencyTableSql } from '../index.ts';

const schema = `target_${crypto.randomUUID().replaceAll('-', '')}`;
const pool = new Pool({ connectionString: inject('databaseUrl'), options: `-c search_path=${schema}`, max: 10 });
const store = createPostgresStore({ query: (text, values) => pool.query(text, values) });
const answer = { status: 201, headers: { 'x-a': 'é' }, bodyBase64: 'eA==' };

beforeAll(async () => {
  await pool.query(`create schema ${schema}`);
  await pool.query(idempotencyTableSql);
});

afterAll(async () => {
  await pool.query(`drop schema ${schema} cascade`);
  await pool.end();
});

async function take(key: string, lockSeconds = 60): Promise<string> {
  const begun = await store.begin(key, lockSeconds);
  if (begun.state !== 'new') throw new Error(`${key} is ${begun.state}`);
  return begun.token;
}

test('of many at once one holds the key, and later ones get its answer', async () => {
  const begun = await Promise.all(Array.from({ length: 10 }, () => store.begin('many', 60)));
  const holders = begun.filter((one) => one.state === 'new');
  expect(holders).toHaveLength(1);
  expect(begun.filter((one) => one.state === 'inProgress')).toHaveLength(9);
  await store.complete('many', holders[0]?.token ?? '', answer);
  expect(await store.begin('many', 60)).toEqual({ state: 'done', answer });
});

test('a holder whose lock ran out can neither overwrite nor release the one that took over', async () => {
  const first = await take('lock', 0);
  const second = await take('lock');
  await store.complete('lock', first, { ...answer, status: 500 });
  await store.release('lock', first);
  expect(await store.begin('lock', 60)).toMatchObject({ state: 'inProgress' });
  await store.complete('lock', second, answer);
  expect(await store.begin('lock', 60)).toEqual({ state: 'done', answer });
});

test('a released key is free, a key with an answer is never released', async () => {
  await store.release('free', await take('free'));
  const token = await take('free');
  await store.complete('free', token, answer);
  await store.release('free', token);
  expect(await store.begin('free', 60)).toMatchObject({ state: 'done' });
});
