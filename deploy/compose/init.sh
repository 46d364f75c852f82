#!/bin/sh
# Makes the credentials of a new installation, once, each into a volume that only its reader mounts.
set -eu
umask 022

random() { head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' 'ab'; }

# Writes $2 into $1 unless it is there: a second start changes nothing.
keep() {
  [ -s "$1" ] || printf '%s' "$2" > "$1.new"
  [ -s "$1" ] || mv "$1.new" "$1"
}

first=no
[ -s /credentials/perdure/bootstrap-key ] || first=yes

keep /credentials/postgres/superuser "$(random)"
keep /credentials/postgres/perdure "$(random)"
keep /credentials/postgres/temporal "$(random)"
keep /credentials/temporal/password "$(cat /credentials/postgres/temporal)"
keep /credentials/perdure/database-url "postgresql://perdure:$(cat /credentials/postgres/perdure)@postgres:5432/perdure"
keep /credentials/perdure/master-key "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
keep /credentials/grafana/password "$(random)"
keep /credentials/perdure/bootstrap-key "perdure_$(random)"

if [ "$first" = yes ]; then
  echo "The first API key (scope admin), shown only now:"
  echo "  $(cat /credentials/perdure/bootstrap-key)"
  echo "Grafana: user admin, password $(cat /credentials/grafana/password)"
else
  echo "The credentials are there already; nothing was changed."
fi
