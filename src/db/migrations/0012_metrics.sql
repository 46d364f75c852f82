-- What the metrics count of the present, found without reading what is over.

create index dead_letters_open on dead_letters (tenant, reason) where redriven_as is null;
create index batches_open on batches (tenant) where finished_at is null;
create index runs_open on runs (tenant) where finished_at is null;
