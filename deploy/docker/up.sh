#!/usr/bin/env bash
# Starts everything, or takes up what was edited: .env, upstreams.env, config/, nginx' files. `make up` calls it.
#
# Nodes are replaced one at a time, a new one being healthy before an old one stops, so that no request is lost. What
# did not change goes on. The version stays the one that runs: upgrade.sh goes over to another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR
. ./lib.sh

./init.sh
use_version
if [[ -z $(compose ps --quiet dataplane) ]]; then # none runs
  validate || echo "deploy/docker/config is invalid, see above: only a release that is in the database already can be served" >&2
  compose up --detach --wait
  exit
fi
validate || fail "deploy/docker/config is invalid, see above; nothing was changed, the last release stays in service"
others
mapfile -t old < <(stale)
roll "${old[@]}" || fail "a new node did not start, see above; the nodes that it was to replace go on"
resize "$(setting GATEWAY_REPLICAS 1)"
reload
