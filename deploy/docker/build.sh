#!/usr/bin/env bash
# Builds what the images are made of: deploy/docker/build.sh FOLDER
#
# VERSION, COMMIT and DATE (of the commit) are stamped into the binaries. Every module is built on its own, so that a
# broken go.mod is found here.
set -euo pipefail

if (($# != 1)); then
  echo "usage: [VERSION=v1.2.3] deploy/docker/build.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

info=github.com/hybridinference/gateway/shared/buildinfo
build() { # MODULE COMMAND
  (cd "$1" && GOWORK=off CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags grpcnotrace \
    -ldflags "-s -w -X main.version=${VERSION:-unknown} -X $info.commit=${COMMIT-} -X $info.date=${DATE-}" -o "$out/" "./cmd/$2")
}
build dataplane dataplane
build controlplane controlplane
build controlplane gatewayctl
deploy/docker/root.sh "$out/root"
