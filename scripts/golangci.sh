#!/usr/bin/env bash
# Runs the pinned golangci-lint with the given arguments; builds it on first use.
set -euo pipefail

version=v2.15.0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
folder=$root/.cache/golangci-lint-$version

if [[ ! -x $folder/golangci-lint ]]; then
  echo "golangci-lint $version: building it once, this takes some minutes" >&2
  GOBIN=$folder go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
fi
exec "$folder/golangci-lint" "$@"
