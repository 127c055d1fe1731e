#!/usr/bin/env bash
# Puts a database back: deploy/docker/restore.sh backups/gateway-TIME.dump
#
# The API goes on meanwhile. The daemon and the collector stop; what the nodes finish stays with them. It is all or
# nothing: a dump that cannot be read changes nothing. Files (.env, nats/, config/) are in the .tar.gz beside it.
set -euo pipefail

if (($# != 1)) || [[ ! -r $1 ]]; then
  echo "usage: deploy/docker/restore.sh FILE.dump (those of backup.sh are in deploy/docker/backups)" >&2
  exit 2
fi
dump=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"

compose() { docker compose "$@"; }

compose up --detach --wait postgres
compose stop controlplane collector
# Whatever happens, they run again.
trap 'compose start controlplane collector' EXIT
# The objects go with their schema: tables that are younger than the dump, too.
# shellcheck disable=SC2016 # the container's variables
compose exec -T postgres sh -c 'set -e
  trap "rm -f /tmp/restore.dump /tmp/restore.sql" EXIT
  cat >/tmp/restore.dump
  pg_restore --no-owner --file=/tmp/restore.sql /tmp/restore.dump
  psql -q -1 -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
    -c "DROP SCHEMA public CASCADE" -c "CREATE SCHEMA public" -f /tmp/restore.sql >/dev/null' <"$dump"
# Its releases and keys count, although nodes have seen later ones.
compose run --rm --no-deps controlplane after-restore
echo "restored $1"
