-- What operators have set at run time: it beats the environment in every process. And what retention needs.

create table settings (
  id boolean primary key default true check (id),
  -- A member is there when it has been set.
  chosen jsonb not null,
  updated_at timestamptz
);
insert into settings (chosen) values ('{}');

-- Up to where rows of nominal times that ran have been removed. It outlives the schedule: another may get its name.
create table ticks_removed (
  tenant text not null,
  schedule_id text not null,
  until timestamptz not null,
  primary key (tenant, schedule_id)
);

-- What retention removes is found by its age.
create index jobs_finished on jobs (finished_at, id) where finished_at is not null and run_id is null;
create index runs_finished on runs (finished_at, id) where finished_at is not null;
create index batches_finished on batches (finished_at, id) where counts is not null;
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index notifications_over on notifications (created_at) where due_at is null;
create index ticks_by_age on ticks (nominal_time) where outcome is not null;
create index bulk_operations_over on bulk_operations (finished_at) where finished_at is not null;
create index audit_log_by_age on audit_log (created_at);

-- Rows are removed as steadily as they come: their place is given back in small portions, not once in a million rows.
alter table jobs set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table attempts set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table idempotency_keys set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table ticks set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
