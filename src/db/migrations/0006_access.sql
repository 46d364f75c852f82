-- Who may ask, and who did what.

create table api_keys (
  id text primary key,
  tenant text not null,
  name text not null,
  -- SHA-256 of the key. The key itself is random enough that no slower hash is needed, and is kept nowhere.
  hash bytea not null unique,
  -- How it begins, to tell keys apart.
  prefix text not null,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz
);
create index api_keys_newest on api_keys (tenant, created_at desc, id desc);

create table audit_log (
  id text primary key,
  tenant text not null,
  actor text not null,
  auth text not null check (auth in ('none', 'jwt', 'apikey')),
  action text not null,
  target_kind text not null,
  target_id text,
  request_id text not null,
  detail jsonb not null,
  created_at timestamptz not null
);
create index audit_log_newest on audit_log (tenant, created_at desc, id desc);
create index audit_log_by_target on audit_log (tenant, target_id, created_at desc) where target_id is not null;

-- Rows are written once. Only retention, which says so in its transaction, takes old ones away.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_setting('perdure.audit_retention', true) = 'on' then
    return old;
  end if;
  raise exception 'audit_log is append-only';
end
$$;
create trigger audit_log_append_only before update or delete on audit_log
  for each row execute function refuse_audit_change();
create trigger audit_log_no_truncate before truncate on audit_log
  for each statement execute function refuse_audit_change();
