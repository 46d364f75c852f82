-- Looked through by the relay for what a crash left behind: few, however many jobs there are.
create index jobs_blocked on jobs (id) where status = 'blocked';
