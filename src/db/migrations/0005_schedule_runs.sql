-- Schedules that run workflows: their ticks may have to wait for their turn before there is a run.

-- Since when it waits for earlier runs to end; its outcome is null until they have.
alter table ticks add column waiting_since timestamptz;

create index ticks_uncounted_runs on ticks (run_id) where run_status is null and run_id is not null;

-- What the overlap policies look at.
create index runs_open_by_schedule on runs (tenant, schedule_id) where schedule_id is not null and finished_at is null;
