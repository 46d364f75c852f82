-- The shared lane: jobs of single requests that one carrier's workflow runs together. A final job keeps the name of its
-- carrier, so that its link leads to the workflow that ran it; the index is for those under way alone.

drop index jobs_carried;
create index jobs_carried on jobs (carrier, status, id) where carrier is not null and finished_at is null;
