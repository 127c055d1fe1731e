#!/usr/bin/env bash
# Sets the number of nodes, also for the next `make up`: deploy/docker/scale.sh 4
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR
. ./lib.sh

if (($# != 1)) || [[ ! $1 =~ ^[1-9][0-9]?$ ]]; then
  echo "usage: make scale n=4 (1 to 99 nodes), got \"${1-}\"" >&2
  exit 2
fi
use_version
resize "$1" || fail "a new node did not start, see above; the others go on"
record GATEWAY_REPLICAS "$1"
