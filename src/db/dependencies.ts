// Which job waits for which: locked while a dependant is added, so that a parent that ends just then is not missed.
import type { JobStatus, OnDependencyFailure } from '../contract/job.ts';
import type { Queryable } from './pool.ts';

export interface Parent {
  id: string;
  status: JobStatus;
}

/** Locks the parents that still run and tells each of them that someone waits. Missing ids are not in the answer. */
export async function lockParents(tx: Queryable, tenant: string, ids: string[]): Promise<Parent[]> {
  return tx.query<Parent>(
    `with locked as (
       select id from jobs where tenant = $1 and id = any($2) and run_id is null order by id for no key update),
     locked_runs as (select id from runs where tenant = $1 and id = any($2) order by id for no key update),
     told as (update jobs set has_dependents = true from locked where jobs.id = locked.id and finished_at is null),
     told_runs as (
       update runs set has_dependents = true from locked_runs where runs.id = locked_runs.id and finished_at is null)
     select id, status from jobs where id in (select id from locked)
     union all select id, status from runs where id in (select id from locked_runs)`,
    [tenant, ids],
  );
}

export async function insertDependencies(tx: Queryable, jobId: string, parentIds: string[]): Promise<void> {
  await tx.query('insert into job_dependencies (job_id, parent_id) select $1, unnest($2::text[])', [jobId, parentIds]);
}

export interface Dependant {
  id: string;
  onDependencyFailure: OnDependencyFailure;
  runAt: Date | null;
  pending: number;
  failed: string[];
}

const DEPENDANTS = `select child.id, child.spec ->> 'onDependencyFailure' as "onDependencyFailure", child.run_at as "runAt",
    count(*) filter (where parent.finished_at is null and parent.id is not null)::int as pending,
    coalesce(array_agg(d.parent_id) filter (where parent.id is null
      or (parent.finished_at is not null and parent.status <> 'succeeded')), '{}') as failed
  from jobs child join job_dependencies d on d.job_id = child.id left join (
    select id, status, finished_at from jobs union all select id, status, finished_at from runs) parent on parent.id = d.parent_id
  where child.status = 'blocked'`;

/** Blocked jobs that wait for this one, with the state of everything they wait for. */
export async function dependantsOf(db: Queryable, parentId: string): Promise<Dependant[]> {
  return db.query<Dependant>(
    `${DEPENDANTS} and child.id in (select job_id from job_dependencies where parent_id = $1) group by child.id`,
    [parentId],
  );
}

/** Blocked jobs that wait for nothing any more, or for something that failed: what a crash left behind. */
export async function overdueDependants(db: Queryable): Promise<Dependant[]> {
  return db.query<Dependant>(
    `${DEPENDANTS} group by child.id
     having count(*) filter (where parent.finished_at is null and parent.id is not null) = 0
       or (child.spec ->> 'onDependencyFailure' = 'cancel'
         and bool_or(parent.id is null or (parent.finished_at is not null and parent.status <> 'succeeded')))
     limit 200`,
  );
}

/** False when another worker released or ended it first. */
export async function releaseDependant(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query(
    `update jobs set status = case when run_at > now() then 'scheduled' else 'queued' end, updated_at = now(),
       check_at = now() + interval '3 seconds'
     where id = $1 and status = 'blocked' returning id`,
    [id],
  );
  return rows.length === 1;
}
