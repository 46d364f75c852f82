// Jobs of the shared lane whose carrier is gone: those that wait leave it, those taken are known to be lost in time.
import type { CarriedJob } from './carried.ts';
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

/** Only who has not been taken: a carrier that is alive after all no longer finds them. */
export async function leaveCarrier(db: Queryable, ids: string[]): Promise<JobRow[]> {
  return db.query<JobRow>(
    `with locked as (
       select id from jobs where id = any($1) and status = 'queued' and carrier is not null
       order by id for no key update)
     update jobs set carrier = null, check_at = now() + interval '5 seconds'
     where id in (select id from locked) and status = 'queued' and carrier is not null returning ${JOB_COLUMNS}`,
    [ids],
  );
}

/** Taken, and by now past the time its call may take: nobody will hear of it again. */
export async function lostRiders(db: Queryable, ids: string[], olderThanMs: number): Promise<CarriedJob[]> {
  return db.query<CarriedJob>(
    `select id, tenant, spec, host, attempts, attempt_id as "attemptId", deadline_at as "deadlineAt", run_at as "runAt",
       outbound_key as "outboundKey", trace_parent as "traceParent", created_at as "createdAt"
     from jobs where id = any($1) and status = 'running' and carrier is not null
       and started_at < now() - $2 * interval '1 millisecond'`,
    [ids, olderThanMs],
  );
}
