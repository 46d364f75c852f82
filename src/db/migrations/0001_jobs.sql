-- Jobs, their attempts, keys, dead letters and notifications.

create table jobs (
  id text primary key,
  tenant text not null,
  name text,
  status text not null check (status in
    ('scheduled', 'blocked', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'canceled', 'expired', 'unknown')),
  spec jsonb not null,
  host text not null,
  labels jsonb not null,
  run_at timestamptz,
  deadline_at timestamptz,
  attempts integer not null default 0,
  -- The attempt that may write the result; null while no call is under way. A zombie's token no longer matches.
  attempt_id text,
  next_attempt_at timestamptz,
  result jsonb,
  error jsonb,
  schedule_id text,
  batch_id text,
  -- A step of a workflow run is a job row of its own: same attempts, retries and keys, but not in the lists of jobs.
  run_id text,
  step_id text,
  item_index integer,
  redrive_of text,
  -- What targets see as Idempotency-Key: the first job's id through any number of redrives.
  outbound_key text not null,
  trace_parent text,
  has_dependents boolean not null default false,
  -- When the relay next compares this job with Temporal; null when there is nothing left to compare.
  check_at timestamptz,
  -- The workflow is known to have existed, so its absence means that it was deleted, not that its start was lost.
  seen_in_temporal boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 80);

create index jobs_newest on jobs (tenant, created_at desc, id desc) where run_id is null;
create index jobs_unsettled on jobs (check_at) where check_at is not null;
create index jobs_waiting on jobs (tenant, status, created_at desc) where finished_at is null;
create index jobs_not_succeeded on jobs (tenant, status, created_at desc)
  where status in ('failed', 'canceled', 'expired', 'unknown');
create index jobs_by_name on jobs (tenant, name, created_at desc) where name is not null;
create index jobs_by_schedule on jobs (tenant, schedule_id, created_at desc) where schedule_id is not null;
create index jobs_by_run on jobs (run_id) where run_id is not null;
create index jobs_by_batch on jobs (batch_id) where batch_id is not null;
create index jobs_by_label on jobs using gin (labels jsonb_path_ops) where labels <> '{}';
create index jobs_deadlines on jobs (deadline_at) where finished_at is null and deadline_at is not null;

create table attempts (
  id text primary key,
  job_id text not null references jobs (id) on delete cascade,
  number integer not null,
  outcome text not null default 'open' check (outcome in ('open', 'answered', 'notSent', 'unknown')),
  http_status integer,
  error jsonb,
  worker text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  duration_ms integer,
  unique (job_id, number)
) with (fillfactor = 80);

create table idempotency_keys (
  tenant text not null,
  scope text not null,
  key text not null,
  fingerprint text not null,
  resource_id text not null,
  -- The first answer, replayed byte for byte.
  answer text not null,
  created_at timestamptz not null,
  primary key (tenant, scope, key)
);

create table job_dependencies (
  job_id text not null references jobs (id) on delete cascade,
  parent_id text not null,
  primary key (parent_id, job_id)
);
create index job_dependencies_of_job on job_dependencies (job_id);

create table dead_letters (
  id text primary key,
  tenant text not null,
  kind text not null check (kind in ('job', 'run')),
  job_id text unique,
  run_id text unique,
  step_id text,
  name text,
  reason text not null,
  error jsonb not null,
  attempts integer not null,
  fingerprint text not null,
  target text not null,
  host text not null,
  created_at timestamptz not null,
  redriven_as text
);
create index dead_letters_newest on dead_letters (tenant, created_at desc, id desc);
create index dead_letters_by_fingerprint on dead_letters (tenant, fingerprint);

create table bulk_operations (
  id text primary key,
  tenant text not null,
  status text not null check (status in ('running', 'finished', 'aborted')),
  request jsonb not null,
  total integer not null,
  done integer not null default 0,
  skipped integer not null default 0,
  failed integer not null default 0,
  created_at timestamptz not null,
  finished_at timestamptz
);
create table bulk_items (
  bulk_id text not null references bulk_operations (id) on delete cascade,
  position integer not null,
  dead_letter_id text not null,
  outcome text check (outcome in ('done', 'skipped', 'failed')),
  primary key (bulk_id, position)
);

create table notifications (
  id text primary key,
  tenant text not null,
  subject_id text not null,
  event text not null,
  rule jsonb not null,
  attempts integer not null default 0,
  -- When to send next; null when delivered or given up.
  due_at timestamptz,
  delivered_at timestamptz,
  last_error text,
  created_at timestamptz not null
);
create index notifications_due on notifications (due_at) where due_at is not null;
