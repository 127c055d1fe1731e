#!/bin/sh
# Before the package goes ("remove" for dpkg, 0 for rpm); not before an upgrade.
set -eu
case ${1-} in
    remove | 0) ;;
    *) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
for role in dataplane controlplane collector nats; do
    systemctl disable --now "gateway-$role.service" 2>/dev/null || true
done
