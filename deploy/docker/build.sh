#!/usr/bin/env bash
# Builds what the images are made of: deploy/docker/build.sh FOLDER
#
# VERSION is stamped into the binaries. Every module is built on its own, so that a broken go.mod is found here.
set -euo pipefail

if (($# != 1)); then
  echo "usage: [VERSION=v1.2.3] deploy/docker/build.sh FOLDER" >&2
  exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build() { # MODULE COMMAND
  (cd "$1" && GOWORK=off CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags grpcnotrace \
    -ldflags "-s -w -X main.version=${VERSION:-unknown}" -o "$out/" "./cmd/$2")
}
build dataplane dataplane
build controlplane controlplane
build controlplane gatewayctl

# The rest of a root file system. Who runs in it is for the operator to say, so
# that the folders belong to everybody; no one else is in there.
mkdir -p "$out/root/etc"
install -d -m 1777 "$out/root/tmp"
install -d -m 0777 "$out/root/var/lib/gateway"
echo 'gateway:x:65532:65532::/tmp:/none' >"$out/root/etc/passwd"
echo 'gateway:x:65532:' >"$out/root/etc/group"
