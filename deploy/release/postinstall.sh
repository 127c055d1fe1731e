#!/bin/sh
# After the installation of the package, and after its upgrade. Nothing is started or restarted.
set -eu
for user in gateway gateway-nats; do
    getent passwd "$user" >/dev/null || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
done
[ ! -d /run/systemd/system ] || systemctl daemon-reload
