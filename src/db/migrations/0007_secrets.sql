-- Values that users keep here instead of in their jobs: encrypted under the master key, which is never in the database.

create table secrets (
  tenant text not null,
  name text not null,
  version integer not null,
  -- Which master key `value` is encrypted under.
  key_id text not null,
  value bytea not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (tenant, name)
);
