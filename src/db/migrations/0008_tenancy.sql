-- The second wall between tenants: what the API does for one tenant runs as a role that sees that tenant's rows alone
-- (docs/decisions/tenancy.md). Also what a tenant may use, where that differs from the defaults.

do $$
begin
  create role perdure_tenant nologin;
exception
  when duplicate_object or unique_violation then null; -- Roles are the server's: another database brought it.
  when insufficient_privilege then
    raise warning 'Perdure: this user may not create the role perdure_tenant, which row-level security needs.';
end
$$;

do $$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    grant perdure_tenant to current_user;
  end if;
exception
  when undefined_object or insufficient_privilege then
    raise warning 'Perdure: % is not a member of perdure_tenant, which row-level security needs.', current_user;
end
$$;

-- Behind row-level security an index serves only conditions that cannot tell of rows they do not return. Containment
-- of labels cannot; only a superuser may say so. Elsewhere lists by label read the tenant's rows, newest first.
do $$
begin
  alter function jsonb_contains(jsonb, jsonb) leakproof;
exception
  when insufficient_privilege then null;
end
$$;

-- Puts up the wall around every table that says whose its rows are, itself or through the row it belongs to. Called
-- after each migration, so that none is forgotten; what stands already is left alone.
create function perdure_isolate() returns void language plpgsql as $$
declare
  found record;
  own_rows text;
  seen text;
begin
  if not exists (select 1 from pg_roles where rolname = 'perdure_tenant') then
    return;
  end if;
  execute format('grant usage on schema %I to perdure_tenant', current_schema());
  for found in
    select c.relname as name, c.relrowsecurity as walled, own.attnum is not null as own, own.attnotnull as always,
      parent.relname as parent, child_column.attname as child_column, parent_column.attname as parent_column
    from pg_class c
      left join pg_attribute own on own.attrelid = c.oid and own.attname = 'tenant' and not own.attisdropped
      left join pg_constraint fk on fk.conrelid = c.oid and fk.contype = 'f' and cardinality(fk.conkey) = 1
        and own.attnum is null
        and exists (select 1 from pg_attribute a where a.attrelid = fk.confrelid and a.attname = 'tenant')
      left join pg_class parent on parent.oid = fk.confrelid
      left join pg_attribute child_column on child_column.attrelid = c.oid and child_column.attnum = fk.conkey[1]
      left join pg_attribute parent_column
        on parent_column.attrelid = fk.confrelid and parent_column.attnum = fk.confkey[1]
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> 'perdure_migrations'
    order by c.relname
  loop
    execute format('grant select, insert, update, delete on %I to perdure_tenant', found.name);
    continue when found.walled or not (found.own or found.parent is not null);
    own_rows := case when found.own then $policy$tenant = current_setting('perdure.tenant', true)$policy$
      else format('exists (select 1 from %I parent where parent.%I = %I.%I)',
        found.parent, found.parent_column, found.name, found.child_column) end;
    -- What belongs to nobody is for everyone to see, and for nobody to write.
    seen := case when found.own and not found.always then 'tenant is null or ' else '' end || own_rows;
    execute format('alter table %I enable row level security', found.name);
    execute format('create policy tenant on %I to perdure_tenant using (%s) with check (%s)',
      found.name, seen, own_rows);
    -- Migrations and workers, whether or not they own the table.
    execute format('create policy service on %I using (current_user <> %L) with check (current_user <> %L)',
      found.name, 'perdure_tenant', 'perdure_tenant');
  end loop;
end
$$;

-- Null: the default of the environment holds; 0: no limit.
create table tenant_quotas (
  tenant text primary key,
  requests_per_second integer,
  waiting_jobs integer,
  schedules integer,
  body_bytes integer,
  updated_at timestamptz not null
);

-- What the relay takes from each tenant in turn.
create index jobs_unsettled_by_tenant on jobs (tenant, check_at) where check_at is not null;
drop index jobs_unsettled;
