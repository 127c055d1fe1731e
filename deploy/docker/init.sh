#!/usr/bin/env bash
# Makes what docker-compose.yml needs and the repository cannot have: .env with secrets, upstreams.env, and NATS'
# credentials and certificates in nats/. What is there is kept. `make up` calls it.
#
# GATEWAYCTL is how gatewayctl is run; by default it is the one in the image gateway-controlplane.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The containers run as whoever owns their credentials: not as root.
user=$(id -u):$(id -g)
((EUID != 0)) || user=65532:65532

secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

if [[ ! -e .env ]]; then
  umask 077
  while IFS= read -r line; do
    case $line in
      *=change-me) echo "${line%%=*}=$(secret)" ;;
      GATEWAY_USER=*) echo "GATEWAY_USER=$user" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done <.env.example >.env.new
  mv .env.new .env
  echo "made .env, with secrets of its own"
fi
[[ -e upstreams.env ]] || (umask 077 && cp upstreams.env.example upstreams.env)

if left=$(grep -in '^[a-z_]*=change-me' .env); then
  sed 's/^\([0-9]*\):\(.*\)=.*/deploy\/docker\/.env:\1: \2 has the value from the example; generate one with: openssl rand -hex 32/' <<<"$left" >&2
  exit 1
fi

value() { sed -n "s/^$1=//p" .env | tail -n 1; }
hosts=nats
[[ $(value COMPOSE_PROFILES) != *nats-cluster* ]] || hosts=nats-1,nats-2,nats-3
if [[ ! -e nats/dataplane.creds || ! -e nats/release_signing_key || ! -e nats/${hosts%%,*}.conf ]]; then
  mkdir -p nats
  GATEWAYCTL=${GATEWAYCTL:-docker run --rm --network none --user $(id -u):$(id -g) -v $PWD/nats:/nats --entrypoint /gatewayctl gateway-controlplane:${GATEWAY_VERSION:-latest}}
  # shellcheck disable=SC2086 # a command with its arguments
  $GATEWAYCTL nats setup --shared --dir "${GATEWAYCTL_DIR:-/nats}" --hosts "$hosts" --install-dir /etc/gateway/nats >/dev/null
  ((EUID != 0)) || chown -R "$(value GATEWAY_USER)" nats
  echo "made nats/: credentials for each role, the key of releases, certificates, configurations"
fi
