#!/usr/bin/env bash
# Goes over to the images that `make images` has built, without a lost request: deploy/docker/upgrade.sh
#
# First the database, then the daemon and the collector, then the data plane: for every node that runs a new one is
# started, and when all are ready the old ones finish what they have (up to DRAIN_TIMEOUT_SECONDS) and go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

compose() { docker compose "$@"; }

./init.sh
compose run --rm --no-deps controlplane migrate
compose up --detach --wait --no-deps controlplane collector

mapfile -t old < <(compose ps --quiet dataplane)
compose up --detach --wait --no-deps --no-recreate --scale dataplane=$((2 * ${#old[@]})) dataplane
compose exec nginx nginx -s reload # which learns of the new ones
if ((${#old[@]} > 0)); then
  sleep 1
  docker stop "${old[@]}" >/dev/null # all at once: each takes as long as its longest stream
  docker rm "${old[@]}" >/dev/null
fi
compose exec nginx nginx -s reload # which forgets the old ones
compose up --detach --no-deps nginx
compose ps
