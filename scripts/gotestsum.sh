#!/usr/bin/env bash
# Runs the pinned gotestsum with the given arguments; builds it on first use.
set -euo pipefail

version=v1.13.0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=$root/.cache/gotestsum-$version

if [[ ! -x $folder/gotestsum ]]; then
  echo "gotestsum $version: building it once" >&2
  GOBIN=$folder CGO_ENABLED=0 go install "gotest.tools/gotestsum@$version"
fi
exec "$folder/gotestsum" "$@"
