#!/usr/bin/env bash
# Makes the root file system of an image, without programs: deploy/docker/root.sh FOLDER
#
# Who runs in it is for the operator to say, so that the folders belong to everybody; no one else is in there.
set -euo pipefail

mkdir -p "$1/etc"
install -d -m 1777 "$1/tmp"
install -d -m 0777 "$1/var/lib/gateway"
echo 'gateway:x:65532:65532::/tmp:/none' >"$1/etc/passwd"
echo 'gateway:x:65532:' >"$1/etc/group"
