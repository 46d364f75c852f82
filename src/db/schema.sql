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

CREATE UNIQUE INDEX attempts_job_id_number_key ON public.attempts USING btree (job_id, number);

CREATE UNIQUE INDEX attempts_pkey ON public.attempts USING btree (id);

CREATE UNIQUE INDEX bulk_items_pkey ON public.bulk_items USING btree (bulk_id, "position");

CREATE UNIQUE INDEX bulk_operations_pkey ON public.bulk_operations USING btree (id);

CREATE INDEX dead_letters_by_fingerprint ON public.dead_letters USING btree (tenant, fingerprint);

CREATE UNIQUE INDEX dead_letters_job_id_key ON public.dead_letters USING btree (job_id);

CREATE INDEX dead_letters_newest ON public.dead_letters USING btree (tenant, created_at DESC, id DESC);

CREATE UNIQUE INDEX dead_letters_pkey ON public.dead_letters USING btree (id);

CREATE UNIQUE INDEX dead_letters_run_id_key ON public.dead_letters USING btree (run_id);

CREATE UNIQUE INDEX idempotency_keys_pkey ON public.idempotency_keys USING btree (tenant, scope, key);

CREATE INDEX job_dependencies_of_job ON public.job_dependencies USING btree (job_id);

CREATE UNIQUE INDEX job_dependencies_pkey ON public.job_dependencies USING btree (parent_id, job_id);

CREATE INDEX jobs_by_batch ON public.jobs USING btree (batch_id) WHERE (batch_id IS NOT NULL);

CREATE INDEX jobs_by_label ON public.jobs USING gin (labels jsonb_path_ops) WHERE (labels <> '{}'::jsonb);

CREATE INDEX jobs_by_name ON public.jobs USING btree (tenant, name, created_at DESC) WHERE (name IS NOT NULL);

CREATE INDEX jobs_by_run ON public.jobs USING btree (run_id) WHERE (run_id IS NOT NULL);

CREATE INDEX jobs_by_schedule ON public.jobs USING btree (tenant, schedule_id, created_at DESC) WHERE (schedule_id IS NOT NULL);

CREATE INDEX jobs_deadlines ON public.jobs USING btree (deadline_at) WHERE ((finished_at IS NULL) AND (deadline_at IS NOT NULL));

CREATE INDEX jobs_newest ON public.jobs USING btree (tenant, created_at DESC, id DESC) WHERE (run_id IS NULL);

CREATE INDEX jobs_not_succeeded ON public.jobs USING btree (tenant, status, created_at DESC) WHERE (status = ANY (ARRAY['failed'::text, 'canceled'::text, 'expired'::text, 'unknown'::text]));

CREATE UNIQUE INDEX jobs_pkey ON public.jobs USING btree (id);

CREATE INDEX jobs_unsettled ON public.jobs USING btree (check_at) WHERE (check_at IS NOT NULL);

CREATE INDEX jobs_waiting ON public.jobs USING btree (tenant, status, created_at DESC) WHERE (finished_at IS NULL);

CREATE INDEX notifications_due ON public.notifications USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX notifications_pkey ON public.notifications USING btree (id);

CREATE UNIQUE INDEX perdure_migrations_pkey ON public.perdure_migrations USING btree (version);
