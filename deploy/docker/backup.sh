#!/usr/bin/env bash
# Writes a backup to deploy/docker/backups: deploy/docker/backup.sh
#
# gateway-TIME.dump is PostgreSQL's (releases, keys, audit, the request log), gateway-TIME.tar.gz what is not in the
# database: .env, upstreams.env, nats/, config/ and nginx/gateway.d (TLS keys). Both have secrets in them. Nothing stops
# meanwhile; usage events that are not in the database yet are in the nodes' volume, and are stored later.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077

compose() { docker compose "$@"; }

mkdir -p backups
name=backups/gateway-$(date -u +%Y%m%dT%H%M%SZ)
trap 'rm -f "$name".*.part' EXIT
if compose ps --services --status running | grep -qx postgres; then
  # shellcheck disable=SC2016 # the container's variables
  compose exec -T postgres sh -c 'exec pg_dump -U "$POSTGRES_USER" -d "$POSTGRES_DB" --format=custom' >"$name.dump.part"
  mv "$name.dump.part" "$name.dump"
  echo "deploy/docker/$name.dump"
else
  echo "PostgreSQL does not run here: what is in the database is not in this backup" >&2
fi
tar -czf "$name.tar.gz.part" .env upstreams.env nats config -C .. nginx/gateway.d
mv "$name.tar.gz.part" "$name.tar.gz"
echo "deploy/docker/$name.tar.gz"
