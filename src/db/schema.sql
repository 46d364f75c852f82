create table api_keys (
  id text not null,
  tenant text not null,
  name text not null,
  hash bytea not null,
  prefix text not null,
  scopes text[] not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  constraint api_keys_hash_key UNIQUE (hash),
  constraint api_keys_pkey PRIMARY KEY (id)
);

create table attempts (
  id text not null,
  job_id text not null,
  number integer not null,
  outcome text not null default 'open'::text,
  http_status integer,
  error jsonb,
  worker text not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  duration_ms integer,
  constraint attempts_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint attempts_job_id_number_key UNIQUE (job_id, number),
  constraint attempts_outcome_check CHECK ((outcome = ANY (ARRAY['open'::text, 'answered'::text, 'notSent'::text, 'unknown'::text]))),
  constraint attempts_pkey PRIMARY KEY (id)
);

create table audit_log (
  id text not null,
  tenant text not null,
  actor text not null,
  auth text not null,
  action text not null,
  target_kind text not null,
  target_id text,
  request_id text not null,
  detail jsonb not null,
  created_at timestamp with time zone not null,
  constraint audit_log_auth_check CHECK ((auth = ANY (ARRAY['none'::text, 'jwt'::text, 'apikey'::text]))),
  constraint audit_log_pkey PRIMARY KEY (id)
);

create table batches (
  id text not null,
  tenant text not null,
  name text,
  status text not null,
  concurrency integer not null,
  total integer not null,
  notify jsonb not null,
  labels jsonb not null,
  counts jsonb,
  check_at timestamp with time zone,
  seen_in_temporal boolean not null default false,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint batches_pkey PRIMARY KEY (id),
  constraint batches_status_check CHECK ((status = ANY (ARRAY['running'::text, 'finished'::text, 'canceled'::text])))
);

create table bulk_items (
  bulk_id text not null,
  "position" integer not null,
  dead_letter_id text not null,
  outcome text,
  constraint bulk_items_bulk_id_fkey FOREIGN KEY (bulk_id) REFERENCES bulk_operations(id) ON DELETE CASCADE,
  constraint bulk_items_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'skipped'::text, 'failed'::text]))),
  constraint bulk_items_pkey PRIMARY KEY (bulk_id, "position")
);

create table bulk_operations (
  id text not null,
  tenant text not null,
  status text not null,
  request jsonb not null,
  total integer not null,
  done integer not null default 0,
  skipped integer not null default 0,
  failed integer not null default 0,
  created_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  constraint bulk_operations_pkey PRIMARY KEY (id),
  constraint bulk_operations_status_check CHECK ((status = ANY (ARRAY['running'::text, 'finished'::text, 'aborted'::text])))
);

create table dead_letters (
  id text not null,
  tenant text not null,
  kind text not null,
  job_id text,
  run_id text,
  step_id text,
  name text,
  reason text not null,
  error jsonb not null,
  attempts integer not null,
  fingerprint text not null,
  target text not null,
  host text not null,
  created_at timestamp with time zone not null,
  redriven_as text,
  constraint dead_letters_job_id_key UNIQUE (job_id),
  constraint dead_letters_kind_check CHECK ((kind = ANY (ARRAY['job'::text, 'run'::text]))),
  constraint dead_letters_pkey PRIMARY KEY (id),
  constraint dead_letters_run_id_key UNIQUE (run_id)
);

create table events (
  id bigint not null,
  tenant text,
  subject text not null,
  status text not null,
  subject_ids text[] not null,
  created_at timestamp with time zone not null default now(),
  constraint events_pkey PRIMARY KEY (id),
  constraint events_subject_check CHECK ((subject = ANY (ARRAY['job'::text, 'run'::text, 'batch'::text, 'schedule'::text, 'tick'::text, 'worker'::text])))
);

create table events_removed (
  until bigint not null
);

create table idempotency_keys (
  tenant text not null,
  scope text not null,
  key text not null,
  fingerprint text not null,
  resource_id text not null,
  answer text not null,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (tenant, scope, key)
);

create table job_dependencies (
  job_id text not null,
  parent_id text not null,
  constraint job_dependencies_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs(id) ON DELETE CASCADE,
  constraint job_dependencies_pkey PRIMARY KEY (parent_id, job_id)
);

create table jobs (
  id text not null,
  tenant text not null,
  name text,
  status text not null,
  spec jsonb not null,
  host text not null,
  labels jsonb not null,
  run_at timestamp with time zone,
  deadline_at timestamp with time zone,
  attempts integer not null default 0,
  attempt_id text,
  next_attempt_at timestamp with time zone,
  result jsonb,
  error jsonb,
  schedule_id text,
  batch_id text,
  run_id text,
  step_id text,
  item_index integer,
  redrive_of text,
  outbound_key text not null,
  trace_parent text,
  has_dependents boolean not null default false,
  check_at timestamp with time zone,
  seen_in_temporal boolean not null default false,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  batch_key text,
  carrier text,
  lane_worker text,
  constraint jobs_pkey PRIMARY KEY (id),
  constraint jobs_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'blocked'::text, 'queued'::text, 'running'::text, 'retrying'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text, 'expired'::text, 'unknown'::text])))
);

create table notifications (
  id text not null,
  tenant text not null,
  subject_id text not null,
  event text not null,
  rule jsonb not null,
  attempts integer not null default 0,
  due_at timestamp with time zone,
  delivered_at timestamp with time zone,
  last_error text,
  created_at timestamp with time zone not null,
  constraint notifications_pkey PRIMARY KEY (id)
);

create table perdure_migrations (
  version integer not null,
  name text not null,
  applied_at timestamp with time zone not null default now(),
  constraint perdure_migrations_pkey PRIMARY KEY (version)
);

create table queues (
  name text not null,
  paused boolean not null default false,
  created_at timestamp with time zone not null default now(),
  constraint queues_pkey PRIMARY KEY (name)
);

create table run_signals (
  id bigint not null,
  run_id text not null,
  name text not null,
  payload jsonb,
  taken_by text,
  created_at timestamp with time zone not null,
  constraint run_signals_pkey PRIMARY KEY (id),
  constraint run_signals_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE
);

create table run_steps (
  run_id text not null,
  step_id text not null,
  status text not null,
  output jsonb,
  error jsonb,
  items_total integer,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint run_steps_pkey PRIMARY KEY (run_id, step_id),
  constraint run_steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE,
  constraint run_steps_status_check CHECK ((status = ANY (ARRAY['running'::text, 'waiting'::text, 'succeeded'::text, 'failed'::text, 'skipped'::text, 'canceled'::text, 'compensated'::text])))
);

create table runs (
  id text not null,
  tenant text not null,
  workflow text,
  version integer,
  definition jsonb,
  plan jsonb,
  status text not null,
  paused boolean not null default false,
  input jsonb,
  output jsonb,
  error jsonb,
  notify jsonb not null,
  labels jsonb not null,
  priority integer not null,
  run_at timestamp with time zone,
  deadline_at timestamp with time zone,
  parent_run_id text,
  parent_step_id text,
  parent_item integer,
  depth integer not null default 0,
  schedule_id text,
  redrive_of text,
  redriven_as text,
  key_base text not null,
  step_keys jsonb not null default '{}'::jsonb,
  trace_parent text,
  has_dependents boolean not null default false,
  nudged_at timestamp with time zone,
  check_at timestamp with time zone,
  seen_in_temporal boolean not null default false,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  constraint runs_pkey PRIMARY KEY (id),
  constraint runs_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'queued'::text, 'running'::text, 'waiting'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text, 'expired'::text])))
);

create table schedules (
  tenant text not null,
  id text not null,
  spec jsonb not null,
  paused boolean not null,
  note text not null,
  generation integer not null default 1,
  applied_generation integer not null default 0,
  applied_fingerprint text,
  ledger_until timestamp with time zone not null,
  look_at timestamp with time zone,
  compare_at timestamp with time zone not null,
  ran integer not null default 0,
  skipped integer not null default 0,
  missed integer not null default 0,
  failed integer not null default 0,
  consecutive_failures integer not null default 0,
  last_fire jsonb,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint schedules_pkey PRIMARY KEY (tenant, id)
);

create table secrets (
  tenant text not null,
  name text not null,
  version integer not null,
  key_id text not null,
  value bytea not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint secrets_pkey PRIMARY KEY (tenant, name)
);

create table settings (
  id boolean not null default true,
  chosen jsonb not null,
  updated_at timestamp with time zone,
  constraint settings_id_check CHECK (id),
  constraint settings_pkey PRIMARY KEY (id)
);

create table tenant_quotas (
  tenant text not null,
  requests_per_second integer,
  waiting_jobs integer,
  schedules integer,
  body_bytes integer,
  updated_at timestamp with time zone not null,
  constraint tenant_quotas_pkey PRIMARY KEY (tenant)
);

create table ticks (
  id text not null,
  tenant text not null,
  schedule_id text not null,
  nominal_time timestamp with time zone not null,
  outcome text,
  backfill_overlap text,
  job_id text,
  run_id text,
  started_at timestamp with time zone,
  lateness_ms double precision,
  reason text,
  run_status text,
  waiting_since timestamp with time zone,
  constraint ticks_outcome_check CHECK ((outcome = ANY (ARRAY['ran'::text, 'skippedOverlap'::text, 'missed'::text, 'paused'::text, 'caughtUp'::text, 'backfilled'::text, 'triggered'::text]))),
  constraint ticks_pkey PRIMARY KEY (id)
);

create table ticks_removed (
  tenant text not null,
  schedule_id text not null,
  until timestamp with time zone not null,
  constraint ticks_removed_pkey PRIMARY KEY (tenant, schedule_id)
);

create table workers (
  id text not null,
  process text not null,
  identity text not null,
  host text not null,
  pid integer not null,
  version text not null,
  roles text[] not null,
  queues text[] not null,
  pause_ordered boolean not null default false,
  drain_ordered boolean not null default false,
  phase text not null,
  activities_used integer not null,
  activities_max integer not null,
  workflows_used integer not null,
  workflows_max integer not null,
  done bigint not null,
  failed bigint not null,
  started_at timestamp with time zone not null,
  last_heartbeat timestamp with time zone not null,
  noted_gone_at timestamp with time zone,
  constraint workers_phase_check CHECK ((phase = ANY (ARRAY['serving'::text, 'paused'::text, 'draining'::text, 'drained'::text]))),
  constraint workers_pkey PRIMARY KEY (id)
);

create table workflows (
  tenant text not null,
  name text not null,
  version integer not null,
  description text,
  definition jsonb not null,
  plan jsonb not null,
  fingerprint text not null,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  constraint workflows_pkey PRIMARY KEY (tenant, name, version)
);

CREATE UNIQUE INDEX api_keys_hash_key ON public.api_keys USING btree (hash);

CREATE INDEX api_keys_newest ON public.api_keys USING btree (tenant, created_at DESC, id DESC);

CREATE UNIQUE INDEX api_keys_pkey ON public.api_keys USING btree (id);

CREATE UNIQUE INDEX attempts_job_id_number_key ON public.attempts USING btree (job_id, number);

CREATE UNIQUE INDEX attempts_pkey ON public.attempts USING btree (id);

CREATE INDEX audit_log_by_age ON public.audit_log USING btree (created_at);

CREATE INDEX audit_log_by_target ON public.audit_log USING btree (tenant, target_id, created_at DESC) WHERE (target_id IS NOT NULL);

CREATE INDEX audit_log_newest ON public.audit_log USING btree (tenant, created_at DESC, id DESC);

CREATE UNIQUE INDEX audit_log_pkey ON public.audit_log USING btree (id);

CREATE INDEX batches_finished ON public.batches USING btree (finished_at, id) WHERE (counts IS NOT NULL);

CREATE INDEX batches_newest ON public.batches USING btree (tenant, created_at DESC, id DESC);

CREATE INDEX batches_open ON public.batches USING btree (tenant) WHERE (finished_at IS NULL);

CREATE UNIQUE INDEX batches_pkey ON public.batches USING btree (id);

CREATE INDEX batches_unsettled ON public.batches USING btree (check_at) WHERE (check_at IS NOT NULL);

CREATE UNIQUE INDEX bulk_items_pkey ON public.bulk_items USING btree (bulk_id, "position");

CREATE INDEX bulk_operations_over ON public.bulk_operations USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE UNIQUE INDEX bulk_operations_pkey ON public.bulk_operations USING btree (id);

CREATE INDEX dead_letters_by_fingerprint ON public.dead_letters USING btree (tenant, fingerprint);

CREATE UNIQUE INDEX dead_letters_job_id_key ON public.dead_letters USING btree (job_id);

CREATE INDEX dead_letters_newest ON public.dead_letters USING btree (tenant, created_at DESC, id DESC);

CREATE INDEX dead_letters_open ON public.dead_letters USING btree (tenant, reason) WHERE (redriven_as IS NULL);

CREATE UNIQUE INDEX dead_letters_pkey ON public.dead_letters USING btree (id);

CREATE UNIQUE INDEX dead_letters_run_id_key ON public.dead_letters USING btree (run_id);

CREATE UNIQUE INDEX events_pkey ON public.events USING btree (id);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

CREATE UNIQUE INDEX idempotency_keys_pkey ON public.idempotency_keys USING btree (tenant, scope, key);

CREATE INDEX job_dependencies_of_job ON public.job_dependencies USING btree (job_id);

CREATE UNIQUE INDEX job_dependencies_pkey ON public.job_dependencies USING btree (parent_id, job_id);

CREATE INDEX jobs_blocked ON public.jobs USING btree (id) WHERE (status = 'blocked'::text);

CREATE INDEX jobs_by_batch ON public.jobs USING btree (batch_id, status) WHERE (batch_id IS NOT NULL);

CREATE INDEX jobs_by_host ON public.jobs USING btree (tenant, host, created_at DESC, id DESC) WHERE (run_id IS NULL);

CREATE INDEX jobs_by_label ON public.jobs USING gin (labels jsonb_path_ops) WHERE (labels <> '{}'::jsonb);

CREATE INDEX jobs_by_name ON public.jobs USING btree (tenant, name, created_at DESC) WHERE (name IS NOT NULL);

CREATE INDEX jobs_by_schedule ON public.jobs USING btree (tenant, schedule_id, created_at DESC) WHERE (schedule_id IS NOT NULL);

CREATE INDEX jobs_by_step ON public.jobs USING btree (run_id, step_id, item_index) WHERE (run_id IS NOT NULL);

CREATE INDEX jobs_carried ON public.jobs USING btree (carrier, status, id) WHERE ((carrier IS NOT NULL) AND (finished_at IS NULL));

CREATE INDEX jobs_deadlines ON public.jobs USING btree (deadline_at) WHERE ((finished_at IS NULL) AND (deadline_at IS NOT NULL));

CREATE INDEX jobs_finished ON public.jobs USING btree (finished_at, id) WHERE ((finished_at IS NOT NULL) AND (run_id IS NULL));

CREATE INDEX jobs_newest ON public.jobs USING btree (tenant, created_at DESC, id DESC) WHERE (run_id IS NULL);

CREATE INDEX jobs_not_succeeded ON public.jobs USING btree (tenant, status, created_at DESC) WHERE (status = ANY (ARRAY['failed'::text, 'canceled'::text, 'expired'::text, 'unknown'::text]));

CREATE INDEX jobs_open_by_schedule ON public.jobs USING btree (tenant, schedule_id) WHERE ((schedule_id IS NOT NULL) AND (finished_at IS NULL));

CREATE UNIQUE INDEX jobs_pkey ON public.jobs USING btree (id);

CREATE INDEX jobs_retrying_due ON public.jobs USING btree (next_attempt_at) WHERE (status = 'retrying'::text);

CREATE INDEX jobs_scheduled_due ON public.jobs USING btree (run_at) WHERE (status = 'scheduled'::text);

CREATE INDEX jobs_to_compare ON public.jobs USING btree (tenant, check_at) WHERE ((check_at IS NOT NULL) AND ((finished_at IS NOT NULL) OR (carrier IS NOT NULL) OR seen_in_temporal));

CREATE INDEX jobs_to_start ON public.jobs USING btree (tenant, check_at) WHERE ((check_at IS NOT NULL) AND (finished_at IS NULL) AND (carrier IS NULL) AND (NOT seen_in_temporal));

CREATE INDEX jobs_waiting ON public.jobs USING btree (tenant, status, created_at DESC) WHERE (finished_at IS NULL);

CREATE INDEX notifications_due ON public.notifications USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX notifications_over ON public.notifications USING btree (created_at) WHERE (due_at IS NULL);

CREATE UNIQUE INDEX notifications_pkey ON public.notifications USING btree (id);

CREATE UNIQUE INDEX perdure_migrations_pkey ON public.perdure_migrations USING btree (version);

CREATE UNIQUE INDEX queues_pkey ON public.queues USING btree (name);

CREATE INDEX run_signals_by_run ON public.run_signals USING btree (run_id, name, id);

CREATE UNIQUE INDEX run_signals_pkey ON public.run_signals USING btree (id);

CREATE UNIQUE INDEX run_steps_pkey ON public.run_steps USING btree (run_id, step_id);

CREATE INDEX runs_by_label ON public.runs USING gin (labels jsonb_path_ops) WHERE (labels <> '{}'::jsonb);

CREATE UNIQUE INDEX runs_by_parent ON public.runs USING btree (parent_run_id, parent_step_id, COALESCE(parent_item, '-1'::integer)) WHERE (parent_run_id IS NOT NULL);

CREATE INDEX runs_by_schedule ON public.runs USING btree (tenant, schedule_id, created_at DESC) WHERE (schedule_id IS NOT NULL);

CREATE INDEX runs_by_workflow ON public.runs USING btree (tenant, workflow, created_at DESC) WHERE (workflow IS NOT NULL);

CREATE INDEX runs_due ON public.runs USING btree (COALESCE(run_at, created_at)) WHERE (status = ANY (ARRAY['scheduled'::text, 'queued'::text]));

CREATE INDEX runs_finished ON public.runs USING btree (finished_at, id) WHERE (finished_at IS NOT NULL);

CREATE INDEX runs_newest ON public.runs USING btree (tenant, created_at DESC, id DESC);

CREATE INDEX runs_nudged ON public.runs USING btree (nudged_at) WHERE (nudged_at IS NOT NULL);

CREATE INDEX runs_open ON public.runs USING btree (tenant) WHERE (finished_at IS NULL);

CREATE INDEX runs_open_by_schedule ON public.runs USING btree (tenant, schedule_id) WHERE ((schedule_id IS NOT NULL) AND (finished_at IS NULL));

CREATE UNIQUE INDEX runs_pkey ON public.runs USING btree (id);

CREATE INDEX runs_unsettled ON public.runs USING btree (check_at) WHERE (check_at IS NOT NULL);

CREATE INDEX schedules_newest ON public.schedules USING btree (tenant, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX schedules_pkey ON public.schedules USING btree (tenant, id);

CREATE INDEX schedules_to_compare ON public.schedules USING btree (compare_at);

CREATE INDEX schedules_to_look_at ON public.schedules USING btree (look_at) WHERE (look_at IS NOT NULL);

CREATE UNIQUE INDEX secrets_pkey ON public.secrets USING btree (tenant, name);

CREATE UNIQUE INDEX settings_pkey ON public.settings USING btree (id);

CREATE UNIQUE INDEX tenant_quotas_pkey ON public.tenant_quotas USING btree (tenant);

CREATE INDEX ticks_by_age ON public.ticks USING btree (nominal_time) WHERE (outcome IS NOT NULL);

CREATE INDEX ticks_due ON public.ticks USING btree (tenant, schedule_id, nominal_time) WHERE (outcome IS NULL);

CREATE INDEX ticks_newest ON public.ticks USING btree (tenant, schedule_id, nominal_time DESC, id DESC);

CREATE UNIQUE INDEX ticks_pkey ON public.ticks USING btree (id);

CREATE UNIQUE INDEX ticks_removed_pkey ON public.ticks_removed USING btree (tenant, schedule_id);

CREATE INDEX ticks_uncounted ON public.ticks USING btree (job_id) WHERE ((run_status IS NULL) AND (job_id IS NOT NULL));

CREATE INDEX ticks_uncounted_runs ON public.ticks USING btree (run_id) WHERE ((run_status IS NULL) AND (run_id IS NOT NULL));

CREATE UNIQUE INDEX workers_pkey ON public.workers USING btree (id);

CREATE UNIQUE INDEX workflows_pkey ON public.workflows USING btree (tenant, name, version);
