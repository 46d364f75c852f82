-- The outbox of GET /v1/events: one row per statement and status, written by triggers, so that no change can forget it.

create table events (
  -- Taken after the changed rows were locked, so that of two changes of one thing the later has the greater number.
  id bigint generated always as identity primary key,
  -- Null: for every tenant.
  tenant text,
  subject text not null check (subject in ('job', 'run', 'batch', 'schedule', 'tick', 'worker')),
  status text not null,
  -- Each is an event of its own, in this order; what else it says is read from the thing itself (events.ts).
  subject_ids text[] not null,
  created_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);

-- Up to where events have been removed: who has read less than that has missed some.
create table events_removed (until bigint not null);
insert into events_removed values (0);

-- Calls of runs are rows of jobs too, but no jobs of the API.

create function record_new_jobs() returns trigger language plpgsql as $$
begin
  insert into events (tenant, subject, status, subject_ids)
  select tenant, 'job', status, array_agg(id) from new_rows where run_id is null group by tenant, status;
  return null;
end $$;

-- `except` and not a join: it costs the same whatever a statement's transaction has told the planner.
create function record_changed_jobs() returns trigger language plpgsql as $$
begin
  insert into events (tenant, subject, status, subject_ids)
  select tenant, 'job', status, array_agg(id) from (
    select tenant, status, id from new_rows where run_id is null
    except select tenant, status, id from old_rows) changed
  group by tenant, status;
  return null;
end $$;

create trigger record_new_jobs after insert on jobs
  referencing new table as new_rows for each statement execute function record_new_jobs();
create trigger record_changed_jobs after update on jobs
  referencing old table as old_rows new table as new_rows for each statement execute function record_changed_jobs();

-- The others are few: one event per row.

create function record_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant, subject, status, subject_ids) values (new.tenant, tg_argv[0], new.status, array[new.id]);
  return null;
end $$;

create trigger record_new_run after insert on runs for each row execute function record_event('run');
create trigger record_changed_run after update of status on runs for each row
  when (old.status <> new.status and (not new.paused or new.finished_at is not null))
  execute function record_event('run');

create function record_pause() returns trigger language plpgsql as $$
begin
  insert into events (tenant, subject, status, subject_ids)
  values (new.tenant, 'run', case when new.paused then 'paused' else new.status end, array[new.id]);
  return null;
end $$;

create trigger record_paused_run after update of paused on runs for each row
  when (old.paused <> new.paused and new.finished_at is null) execute function record_pause();

create trigger record_new_batch after insert on batches for each row execute function record_event('batch');
create trigger record_changed_batch after update of status on batches for each row when (old.status <> new.status)
  execute function record_event('batch');

create function record_schedule() returns trigger language plpgsql as $$
declare
  statuses text[] := '{}';
begin
  if tg_op = 'INSERT' or (old.deleted_at is not null and new.deleted_at is null) then
    statuses := '{created}';
  elsif old.deleted_at is null and new.deleted_at is not null then
    statuses := '{deleted}';
  else
    if old.spec <> new.spec then statuses := '{updated}'; end if;
    if old.paused <> new.paused then
      statuses := statuses || case when new.paused then 'paused' else 'resumed' end;
    end if;
  end if;
  insert into events (tenant, subject, status, subject_ids)
  select new.tenant, 'schedule', status, array[new.id] from unnest(statuses) with ordinality as s (status, place) order by place;
  return null;
end $$;

create trigger record_new_schedule after insert on schedules for each row execute function record_schedule();
create trigger record_changed_schedule after update of spec, paused, deleted_at on schedules for each row
  when (old.spec <> new.spec or old.paused <> new.paused or old.deleted_at is distinct from new.deleted_at)
  execute function record_schedule();

-- What became of a nominal time. While a schedule is paused every one of them is as expected, and no event.
create function record_tick() returns trigger language plpgsql as $$
begin
  insert into events (tenant, subject, status, subject_ids) values (new.tenant, 'tick', new.outcome, array[new.id]);
  return null;
end $$;

create trigger record_new_tick after insert on ticks for each row
  when (new.outcome is not null and new.outcome <> 'paused') execute function record_tick();
create trigger record_changed_tick after update of outcome on ticks for each row
  when (new.outcome is not null and new.outcome <> 'paused' and old.outcome is distinct from new.outcome)
  execute function record_tick();

-- Whether a worker is busy changes with every call and is no event; that it is gone only others can say (events.ts).
alter table workers add column noted_gone_at timestamptz;

create function record_worker() returns trigger language plpgsql as $$
begin
  insert into events (subject, status, subject_ids)
  values ('worker', case when new.phase = 'serving' then 'available' else new.phase end, array[new.id]);
  return null;
end $$;

create trigger record_new_worker after insert on workers for each row execute function record_worker();
create trigger record_changed_worker after update on workers for each row
  when (old.phase <> new.phase or old.process <> new.process
    or (old.noted_gone_at > old.last_heartbeat and new.last_heartbeat > old.noted_gone_at))
  execute function record_worker();
