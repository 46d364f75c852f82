// The outbox of webhooks and mails: rows appear with the final state they tell of, and stay until sent or given up.
import type { NotifyRule } from '../contract/job.ts';
import type { Queryable } from './pool.ts';

export interface NotificationRow {
  id: string;
  tenant: string;
  subjectId: string;
  event: string;
  rule: NotifyRule;
  attempts: number;
  createdAt: Date;
}

/** Takes what is due for one minute: long enough to send, short enough to be taken again after a crash. */
export async function takeDueNotifications(db: Queryable, limit: number): Promise<NotificationRow[]> {
  return db.query<NotificationRow>(
    `update notifications set due_at = now() + interval '60 seconds', attempts = attempts + 1
     where id in (select id from notifications where due_at <= now() order by due_at limit $1 for update skip locked)
     returning id, tenant, subject_id as "subjectId", event, rule, attempts, created_at as "createdAt"`,
    [limit],
  );
}

export async function markDelivered(db: Queryable, id: string): Promise<void> {
  await db.query('update notifications set delivered_at = now(), due_at = null, last_error = null where id = $1', [id]);
}

/** `dueAt` null gives up. */
export async function markNotDelivered(db: Queryable, id: string, error: string, dueAt: Date | null): Promise<void> {
  await db.query('update notifications set due_at = $3, last_error = $2 where id = $1', [
    id,
    error.slice(0, 500),
    dueAt,
  ]);
}
