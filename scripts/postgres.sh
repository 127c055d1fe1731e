#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL: scripts/postgres.sh COMMAND [ARGUMENT...]
#
# The command finds it in GATEWAY_TEST_POSTGRES (a postgres:// URL of a superuser). The cluster lives in a
# temporary folder, listens on loopback and on a socket in that folder, trades durability for speed, and is gone
# when the command has ended, failed or was interrupted. PostgreSQL refuses to run as root, so root hands it to
# the user postgres, else nobody.
set -euo pipefail

if (($# == 0)); then
  echo "usage: scripts/postgres.sh COMMAND [ARGUMENT...]" >&2
  exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# server_folder prints the folder of the newest PostgreSQL server programs, nothing when there is none.
server_folder() {
  local folder folders
  mapfile -t folders < <(pg_config --bindir 2>/dev/null; printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr)
  for folder in "${folders[@]}"; do
    if [[ -x $folder/initdb && -x $folder/postgres && -x $folder/pg_ctl ]]; then
      echo "$folder"
      return
    fi
  done
}

# install_server adds Debian's package without the cluster that Debian would start on port 5432.
install_server() {
  local setting=/etc/postgresql-common/createcluster.d/gateway-tests.conf
  echo "installing PostgreSQL" >&2
  "$here/apt.sh" postgresql-common
  mkdir -p "$(dirname "$setting")"
  echo 'create_main_cluster = false' >"$setting"
  "$here/apt.sh" postgresql
  rm -f "$setting"
}

# as_owner runs a server program as the cluster's user, in a folder that user can enter and without our PG* variables.
as_owner() (
  cd "$cluster"
  as=()
  ((EUID != 0)) || as=(runuser -u "$owner" --)
  exec "${as[@]}" env -i PATH="$PATH" LC_ALL=C "$@"
)

make_cluster() {
  local said
  said=$(as_owner "$server/initdb" -D "$cluster/data" -U gateway --auth=trust --encoding=UTF8 --no-locale --no-sync 2>&1) ||
    { echo "$said" >&2; return 1; }
  cat >>"$cluster/data/postgresql.conf" <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$cluster'
max_connections = 200
fsync = off
full_page_writes = off
EOF
}

# start_cluster sets port. Only the server's own start can tell whether a port is free, so it tries a few; they lie
# below the range that the kernel gives to outgoing connections.
start_cluster() {
  local log=$cluster/data/start.log said
  for _ in {1..20}; do
    port=$((20000 + RANDOM % 12000))
    rm -f "$log"
    if said=$(as_owner "$server/pg_ctl" start -D "$cluster/data" -l "$log" -o "-p $port" -w -t 60 2>&1); then
      return
    fi
    grep -qs 'Address already in use' "$log" || break
  done
  echo "$said" >&2
  cat "$log" >&2
  return 1
}

# remove ends what still runs, whatever ended the script.
# shellcheck disable=SC2317,SC2329 # the EXIT trap calls it
remove() {
  trap '' INT TERM HUP
  if [[ -n $command ]]; then
    kill -TERM "$command" 2>/dev/null || true
    wait "$command" || true
  fi
  if [[ -f $cluster/data/postmaster.pid ]]; then
    as_owner "$server/pg_ctl" stop -D "$cluster/data" -m immediate -w >/dev/null 2>&1 || true
  fi
  rm -rf "$cluster"
}

server=$(server_folder)
if [[ -z $server ]]; then
  install_server
  server=$(server_folder)
  [[ -n $server ]] || { echo "no initdb, pg_ctl and postgres in one folder, even after the installation" >&2; exit 1; }
fi

# Not $TMPDIR: the owner must be able to enter it, and a socket's path has to be short.
cluster=$(mktemp -d /tmp/gateway-postgres.XXXXXX)
command=
trap remove EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

owner=$(id -un)
if ((EUID == 0)); then
  owner=postgres
  id -u "$owner" >/dev/null 2>&1 || owner=nobody
  chown "$owner" "$cluster"
fi
make_cluster
start_cluster
export GATEWAY_TEST_POSTGRES="postgres://gateway@127.0.0.1:$port/postgres?sslmode=disable"

# In the background, because bash runs a trap only between commands: a signal must not wait for the tests.
"$@" <&0 &
command=$!
status=0
wait "$command" || status=$?
command=
exit "$status"
