#!/bin/sh
# Runs once, when the data folder of PostgreSQL is made: a role and the databases for each of the two who use it.
set -eu

psql -v ON_ERROR_STOP=1 --username postgres \
  -v perdure_password="$(cat /credentials/perdure)" -v temporal_password="$(cat /credentials/temporal)" <<'SQL'
-- Perdure makes the role under which tenants are kept apart.
create role perdure login createrole password :'perdure_password';
create role temporal login password :'temporal_password';
create database perdure owner perdure;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
SQL
