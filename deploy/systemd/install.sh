#!/usr/bin/env bash
# Installs one role of the gateway on this host, or a newer version of it:
#
#   deploy/systemd/install.sh nats         --name HOST   (as in gatewayctl nats setup --hosts)
#   deploy/systemd/install.sh controlplane
#   deploy/systemd/install.sh collector
#   deploy/systemd/install.sh dataplane    --name NODE   (as in gatewayctl nats setup --nodes)
#
# It runs as root in a folder with the programs (of a release; or in bin/, of `make build`; nats-server for NATS), nats/ (of `gatewayctl nats setup`),
# deploy/systemd/, and config/ for the control plane. Settings and configuration that are on the host already stay.
# Nothing is started: `systemctl enable --now gateway-ROLE`, or `systemctl restart gateway-ROLE` for a newer version.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "deploy/systemd/install.sh: $*" >&2
  exit 2
}

role=${1:-} name=
shift || true
case "$# ${1:-}" in
  '0 ') ;;
  '2 --name') name=$2 ;;
  *) fail "unexpected: $*; what is allowed: ROLE [--name NAME]" ;;
esac
case $role in
  nats | dataplane) [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9.:-]*$ ]] || fail "$role needs --name: which of them this host is" ;;
  controlplane | collector) ;;
  *) fail "which role? nats, controlplane, collector or dataplane, got \"$role\"" ;;
esac
((EUID == 0)) || fail "run it as root"

# Of older ones the units would start without their credentials.
if [[ -d /run/systemd/system ]]; then
  version=$(systemctl --version | sed -nE '1s/^systemd ([0-9]+).*/\1/p')
  ((${version:-0} >= 250)) || fail "the units need systemd 250 or later, this host has ${version:-none}"
fi

program=$role user=gateway programs=.
[[ ! -d bin ]] || programs=bin
case $role in
  nats) program=nats-server user=gateway-nats ;;
  collector) program=controlplane ;;
esac

need() { [[ -e $1 ]] || fail "$1 is missing: $2"; }
need "$programs/$program" "a release has ours and make build makes them, https://github.com/nats-io/nats-server/releases has nats-server"
need nats/ca.pem "gatewayctl nats setup makes it"

getent passwd "$user" >/dev/null || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"

# put FILE TARGET MODE OWNER: whole or not at all, since a process may run from it.
put() {
  install -D -m "$3" -o "${4%:*}" -g "${4#*:}" "$1" "$2.new"
  mv "$2.new" "$2"
}
keep() { [[ -e $2 ]] || put "$@"; }

put "$programs/$program" "/usr/local/bin/$program" 755 root:root
put nats/ca.pem /etc/gateway/nats/ca.pem 644 root:root
case $role in
  nats)
    need "nats/$name.conf" "gatewayctl nats setup --hosts makes it"
    put nats/accounts.conf /etc/gateway/nats/accounts.conf 644 root:root
    put "nats/$name.conf" "/etc/gateway/nats/$name.conf" 644 root:root
    put "nats/$name.pem" "/etc/gateway/nats/$name.pem" 644 root:root
    put "nats/$name.key" "/etc/gateway/nats/$name.key" 640 "root:$user"
    ln -sfn "$name.conf" /etc/gateway/nats/server.conf
    ;;
  *)
    creds=nats/$role.creds
    # a node's own, or those that nodes share
    [[ $role != dataplane || ! -e nats/$name.creds ]] || creds=nats/$name.creds
    need "$creds" "gatewayctl nats setup --nodes makes $name.creds; with --shared it makes dataplane.creds"
    put "$creds" "/etc/gateway/nats/$role.creds" 600 root:root
    again="gatewayctl nats setup makes it; run it again, what exists is kept"
    if [[ $role == controlplane ]]; then
      need nats/release_signing_key "$again"
      put nats/release_signing_key /etc/gateway/nats/release_signing_key 600 root:root
    elif [[ $role == dataplane ]]; then
      need nats/release_signing_key.pub "$again"
      put nats/release_signing_key.pub /etc/gateway/nats/release_signing_key.pub 644 root:root
    fi
    keep "deploy/systemd/$role.env.example" "/etc/gateway/$role.env" 600 root:root
    ;;
esac
if [[ $role == dataplane ]] && ! grep -q '^NODE_ID=' /etc/gateway/dataplane.env; then
  echo "NODE_ID=$name" >>/etc/gateway/dataplane.env
fi
if [[ $role == controlplane ]]; then
  put "$programs/gatewayctl" /usr/local/bin/gatewayctl 755 root:root
  for file in models.yaml routing.yaml; do keep "config/$file" "/etc/gateway/config/$file" 644 root:root; done
fi

put "deploy/systemd/gateway-$role.service" "/etc/systemd/system/gateway-$role.service" 644 root:root
[[ ! -d /run/systemd/system ]] || systemctl daemon-reload

echo "installed gateway-$role"
if [[ $role != nats ]]; then
  sed -n 's/^\([A-Z_]*\)=change-me.*/still to be set in \/etc\/gateway\/'"$role"'.env: \1/p' "/etc/gateway/$role.env"
fi
