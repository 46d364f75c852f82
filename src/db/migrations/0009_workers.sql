-- Workers and the queues they serve, as operators see and steer them.

create table queues (
  name text primary key,
  paused boolean not null default false,
  created_at timestamptz not null default now()
);

create table workers (
  id text primary key,
  -- The process that writes this row; a newer one under the same id takes it over.
  process text not null,
  identity text not null,
  host text not null,
  pid integer not null,
  version text not null,
  roles text[] not null,
  queues text[] not null,
  -- What it was told: a pause outlives the process, a drain does not.
  pause_ordered boolean not null default false,
  drain_ordered boolean not null default false,
  -- What it reports of itself.
  phase text not null check (phase in ('serving', 'paused', 'draining', 'drained')),
  activities_used integer not null,
  activities_max integer not null,
  workflows_used integer not null,
  workflows_max integer not null,
  done bigint not null,
  failed bigint not null,
  started_at timestamptz not null,
  last_heartbeat timestamptz not null
) with (fillfactor = 50);

-- For the age of the backlog. A job that runs at once never enters the first two.
create index jobs_scheduled_due on jobs (run_at) where status = 'scheduled';
create index jobs_retrying_due on jobs (next_attempt_at) where status = 'retrying';
create index runs_due on runs ((coalesce(run_at, created_at))) where status in ('scheduled', 'queued');
