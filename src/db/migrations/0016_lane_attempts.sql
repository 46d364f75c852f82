-- The first attempt of a job in a lane is told by the job's own row while it is under way and when it succeeded: nothing
-- that the row of an attempt could add is worth writing it. Any other end of it gets its row (attempts.ts).

alter table jobs add column lane_worker text;

update jobs set lane_worker = worker from attempts
where attempts.id = jobs.attempt_id and jobs.carrier is not null and jobs.status = 'running';
delete from attempts using jobs
where attempts.id = jobs.attempt_id and jobs.carrier is not null and jobs.status = 'running';
