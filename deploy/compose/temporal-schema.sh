#!/bin/sh
# Brings the two databases of Temporal to the schema of this version; what is there already is left alone.
set -eu

SQL_PASSWORD="$(cat /credentials/password)"
export SQL_PASSWORD

for schema in temporal:temporal temporal_visibility:visibility; do
  database="${schema%%:*}"
  tool="temporal-sql-tool --plugin postgres12 --ep $POSTGRES_SEEDS --port ${DB_PORT:-5432} --user $POSTGRES_USER --db $database"
  # Fails where the version table exists; the update that follows tells a real fault.
  $tool setup-schema -v 0.0 || true
  $tool update-schema -d "${SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}/${schema##*:}/versioned"
done
