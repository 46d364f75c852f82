// Keys in the target's own PostgreSQL: shared by its instances, kept over restarts. You create the table and delete old rows.
import type { IdempotencyStore, StoredAnswer } from './store.ts';

/** Such as `(text, values) => pool.query(text, values)` of `pg`. */
export type QueryFunction = (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>;

export const idempotencyTableSql = `
create table if not exists perdure_idempotency (
  key text primary key,
  token text not null,
  locked_until timestamptz not null,
  answer jsonb,
  created_at timestamptz not null default now()
);`;

// Takes a new key, or one whose holder died; else changes nothing and returns no row.
const TAKE = `
insert into perdure_idempotency (key, token, locked_until)
values ($1, $2, now() + $3 * interval '1 second')
on conflict (key) do update set token = excluded.token, locked_until = excluded.locked_until
where perdure_idempotency.answer is null and perdure_idempotency.locked_until <= now()
returning key`;
const READ = 'select answer from perdure_idempotency where key = $1';
const COMPLETE = 'update perdure_idempotency set answer = $3::jsonb where key = $1 and token = $2';
const RELEASE = 'delete from perdure_idempotency where key = $1 and token = $2 and answer is null';

export function createPostgresStore({ query }: { query: QueryFunction }): IdempotencyStore {
  return {
    async begin(key, lockSeconds) {
      const token = crypto.randomUUID();
      const taken = await query(TAKE, [key, token, lockSeconds]);
      if (taken.rows.length > 0) return { state: 'new', token };
      const { rows } = await query(READ, [key]);
      const answer = (rows[0] as { answer: StoredAnswer | null } | undefined)?.answer;
      // No row: it was released just now. The next try finds it free.
      return answer ? { state: 'done', answer } : { state: 'inProgress', retryAfterSeconds: 1 };
    },
    async complete(key, token, answer) {
      await query(COMPLETE, [key, token, JSON.stringify(answer)]);
    },
    async release(key, token) {
      await query(RELEASE, [key, token]);
    },
  };
}
