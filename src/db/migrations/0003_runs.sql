-- Workflows in versions, their runs, and what became of each step.

create table workflows (
  tenant text not null,
  name text not null,
  version integer not null,
  description text,
  definition jsonb not null,
  plan jsonb not null,
  -- Of the definition with its defaults: tells whether a PUT changes anything.
  fingerprint text not null,
  created_at timestamptz not null,
  -- Kept, because runs refer to their version, and so that a version number never means two things.
  deleted_at timestamptz,
  primary key (tenant, name, version)
);

create table runs (
  id text primary key,
  tenant text not null,
  workflow text,
  version integer,
  -- Null where the stored version holds as it is: a definition is kept once however often it runs.
  definition jsonb,
  plan jsonb,
  status text not null check (status in
    ('scheduled', 'queued', 'running', 'waiting', 'succeeded', 'failed', 'canceled', 'expired')),
  paused boolean not null default false,
  input jsonb,
  output jsonb,
  error jsonb,
  notify jsonb not null,
  labels jsonb not null,
  priority integer not null,
  run_at timestamptz,
  deadline_at timestamptz,
  -- A step of another run; such a run has no dead letter of its own.
  parent_run_id text,
  parent_step_id text,
  parent_item integer,
  depth integer not null default 0,
  schedule_id text,
  redrive_of text,
  redriven_as text,
  -- What the outbound keys begin with: the first run's id through any number of redrives …
  key_base text not null,
  -- … but for steps that were undone and run again: step id → the run whose id they begin with.
  step_keys jsonb not null default '{}',
  trace_parent text,
  has_dependents boolean not null default false,
  -- The workflow has not yet read what the API changed (pause, signals).
  nudged_at timestamptz,
  check_at timestamptz,
  seen_in_temporal boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz
) with (fillfactor = 80);

create index runs_newest on runs (tenant, created_at desc, id desc);
create index runs_by_workflow on runs (tenant, workflow, created_at desc) where workflow is not null;
create index runs_unsettled on runs (check_at) where check_at is not null;
create index runs_nudged on runs (nudged_at) where nudged_at is not null;
create index runs_by_label on runs using gin (labels jsonb_path_ops) where labels <> '{}';
create unique index runs_by_parent on runs (parent_run_id, parent_step_id, coalesce(parent_item, -1))
  where parent_run_id is not null;
create index runs_by_schedule on runs (tenant, schedule_id, created_at desc) where schedule_id is not null;

-- What a job row cannot say: steps that make no single call, and those whose end the run itself decided.
-- A step with one HTTP call is its job row, and a step without either has not begun.
create table run_steps (
  run_id text not null references runs (id) on delete cascade,
  step_id text not null,
  status text not null check (status in
    ('running', 'waiting', 'succeeded', 'failed', 'skipped', 'canceled', 'compensated')),
  output jsonb,
  error jsonb,
  items_total integer,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (run_id, step_id)
) with (fillfactor = 80);

create table run_signals (
  id bigint generated always as identity primary key,
  run_id text not null references runs (id) on delete cascade,
  name text not null,
  payload jsonb,
  -- The step that took it; each signal is taken once.
  taken_by text,
  created_at timestamptz not null
);
create index run_signals_by_run on run_signals (run_id, name, id);

-- Takes over from jobs_by_run.
drop index jobs_by_run;
create index jobs_by_step on jobs (run_id, step_id, item_index) where run_id is not null;
