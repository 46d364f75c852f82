-- Without it the jobs of a rare host are looked for in all there are.
create index jobs_by_host on jobs (tenant, host, created_at desc, id desc) where run_id is null;
