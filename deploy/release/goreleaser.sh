#!/usr/bin/env bash
# Runs goreleaser at the version in go.mod with the given arguments; builds it on first use, which takes some minutes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$here/../..
version=$(sed -n 's#^\tgithub.com/goreleaser/goreleaser/v2 \(v[^ ]*\).*#\1#p' "$here/go.mod")
program=$root/.cache/goreleaser-$version
if [[ ! -x $program ]]; then
  echo "goreleaser $version: building it once, this takes some minutes" >&2
  (cd "$here" && GOWORK=off CGO_ENABLED=0 go build -buildvcs=false -o "$program" github.com/goreleaser/goreleaser/v2)
fi
cd "$root"
# The owner of the images, on GitHub's registry.
export IMAGE_OWNER=${IMAGE_OWNER:-hybridinference}
exec "$program" "$@"
