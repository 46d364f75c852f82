-- What waits to be started is taken at the pace at which it is worked off; what is compared with Temporal does not wait
-- behind it. Together the two indexes hold what the one before held.

create index jobs_to_start on jobs (tenant, check_at)
  where check_at is not null and finished_at is null and carrier is null and not seen_in_temporal;
create index jobs_to_compare on jobs (tenant, check_at)
  where check_at is not null and (finished_at is not null or carrier is not null or seen_in_temporal);
drop index jobs_unsettled_by_tenant;
