-- Batches: many jobs accepted together, whose first attempts one workflow makes.

create table batches (
  id text primary key,
  tenant text not null,
  name text,
  status text not null check (status in ('running', 'finished', 'canceled')),
  concurrency integer not null,
  total integer not null,
  notify jsonb not null,
  labels jsonb not null,
  -- Fixed when the last item is final; until then they are counted.
  counts jsonb,
  -- When the relay next compares this batch with Temporal; null when there is nothing left to compare.
  check_at timestamptz,
  seen_in_temporal boolean not null default false,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index batches_newest on batches (tenant, created_at desc, id desc);
create index batches_unsettled on batches (check_at) where check_at is not null;

alter table jobs
  add column batch_key text,
  -- Whose workflow makes the first attempt, `<workflow id>/<lane>`; null: the job's own does.
  add column carrier text;

drop index jobs_by_batch;
create index jobs_by_batch on jobs (batch_id, status) where batch_id is not null;
create index jobs_carried on jobs (carrier, status, id) where carrier is not null;
