#!/bin/sh
# As that of PostgreSQL's own image, for what ours uses of it.
set -eu
data=/var/lib/postgresql/data
install -d -o postgres -g postgres -m 700 "$data"
if [ ! -e "$data/PG_VERSION" ]; then
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
    chmod 644 /tmp/password
    # shellcheck disable=SC2086 # several arguments
    runuser -u postgres -- initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 $POSTGRES_INITDB_ARGS
    rm /tmp/password
    printf 'local all all trust\nhost all all all scram-sha-256\n' >"$data/pg_hba.conf"
    runuser -u postgres -- pg_ctl -D "$data" -w -o '-c listen_addresses=' start
    runuser -u postgres -- psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    runuser -u postgres -- pg_ctl -D "$data" -w -m fast stop
fi
exec runuser -u postgres -- "$@" -D "$data" -c 'listen_addresses=*'
