#!/usr/bin/env bash
# Restarts everything, or one service: deploy/docker/restart.sh [SERVICE]
#
# Nodes are replaced one at a time, without losing a request. nginx, restarted, refuses connections for a moment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR
. ./lib.sh

use_version
service=${1-}
[[ $service != backend ]] || service=dataplane
if [[ $service != dataplane ]]; then
  if [[ -n $service ]]; then
    compose restart "$service"
    exit
  fi
  mapfile -t list < <(compose config --services | grep -vx dataplane)
  compose restart "${list[@]}"
fi
mapfile -t old < <(nodes)
roll "${old[@]}" || fail "a new node did not start, see above; the nodes that it was to replace go on"
