-- Schedules as they shall be, and a row for each of their nominal times.

create table schedules (
  tenant text not null,
  id text not null,
  spec jsonb not null,
  paused boolean not null,
  note text not null,
  -- Counts the changes that Temporal must hear of; unlike applied_generation, there is something to apply.
  generation integer not null default 1,
  applied_generation integer not null default 0,
  -- What Temporal said of its schedule after the last change was applied; anything else was changed behind our back.
  applied_fingerprint text,
  -- Every nominal time before this one has its row in ticks.
  ledger_until timestamptz not null,
  -- When the auditor next looks at the ledger; null when no time is left.
  look_at timestamptz,
  -- When the auditor next compares with Temporal.
  compare_at timestamptz not null,
  ran integer not null default 0,
  skipped integer not null default 0,
  missed integer not null default 0,
  failed integer not null default 0,
  consecutive_failures integer not null default 0,
  last_fire jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- Deleted here, and not yet known to be deleted in Temporal.
  deleted_at timestamptz,
  primary key (tenant, id)
) with (fillfactor = 70);

create index schedules_newest on schedules (tenant, created_at desc, id desc) where deleted_at is null;
create index schedules_to_look_at on schedules (look_at) where look_at is not null;
create index schedules_to_compare on schedules (compare_at);

create table ticks (
  -- The id of the job or run, started or not: one nominal time has one, so it can never run twice.
  id text primary key,
  tenant text not null,
  schedule_id text not null,
  nominal_time timestamptz not null,
  -- Null while it is due: promised, and not yet decided.
  outcome text check (outcome in ('ran', 'skippedOverlap', 'missed', 'paused', 'caughtUp', 'backfilled', 'triggered')),
  -- The overlap policy of the backfill that asked for it; null for all others.
  backfill_overlap text,
  job_id text,
  run_id text,
  started_at timestamptz,
  -- Of a backfill it may be years, more than an integer holds.
  lateness_ms double precision,
  reason text,
  -- How its run ended; written once, together with the counts of the schedule.
  run_status text
) with (fillfactor = 80);

create index ticks_newest on ticks (tenant, schedule_id, nominal_time desc, id desc);
create index ticks_due on ticks (tenant, schedule_id, nominal_time) where outcome is null;
create index ticks_uncounted on ticks (job_id) where run_status is null and job_id is not null;

-- What the overlap policies look at.
create index jobs_open_by_schedule on jobs (tenant, schedule_id) where schedule_id is not null and finished_at is null;
