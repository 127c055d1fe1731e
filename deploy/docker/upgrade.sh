#!/usr/bin/env bash
# Goes over to the images of a version that `make images` has built, without losing a request:
#
#   deploy/docker/upgrade.sh VERSION
#
# First the database, then the daemon and the collector, then the nodes, one at a time: a new one is healthy before an
# old one finishes what it has (up to DRAIN_TIMEOUT_SECONDS) and stops. If anything new does not get healthy, all goes
# back to the old version; tables are only added to, so that it works with the migrated database.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR
. ./lib.sh

if (($# != 1)); then
  echo "usage: deploy/docker/upgrade.sh VERSION (the tag of gateway-dataplane and gateway-controlplane)" >&2
  exit 2
fi
use_version
previous=$GATEWAY_VERSION
export GATEWAY_VERSION=$1
./init.sh
validate || fail "the new version rejects deploy/docker/config, see above; nothing was changed"
compose run --rm --no-deps -T controlplane migrate

replace() {
  local old
  others || return 1
  mapfile -t old < <(stale)
  roll "${old[@]}"
}

if ! replace; then
  echo "$GATEWAY_VERSION did not get healthy, see above: going back to $previous" >&2
  export GATEWAY_VERSION=$previous
  replace || fail "going back failed, too; nodes that run go on: make ps"
  fail "the version is $previous, as before"
fi
record GATEWAY_VERSION "$GATEWAY_VERSION"
reload
compose ps
