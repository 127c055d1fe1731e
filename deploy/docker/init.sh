#!/usr/bin/env bash
# Creates what docker-compose.yml needs and the repository cannot have: .env with secrets, upstreams.env, the
# configuration in config/, and NATS' credentials and certificates in nats/. What exists is kept. `make up` calls it.
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
  echo "created .env with new secrets"
fi
[[ -e upstreams.env ]] || (umask 077 && cp upstreams.env.example upstreams.env)
if [[ ! -e config ]]; then
  mkdir config.new
  cp ../../config/models.yaml ../../config/routing.yaml config.new
  chmod 755 config.new && chmod 644 config.new/*
  mv config.new config
  echo "created config/ from the examples in the repository's config/"
fi

if left=$(grep -in '^[a-z_]*=change-me' .env); then
  sed 's/^\([0-9]*\):\(.*\)=.*/deploy\/docker\/.env:\1: \2 has the value from the example; generate one with: openssl rand -hex 32/' <<<"$left" >&2
  exit 1
fi

value() { sed -n "s/^$1=//p" .env | tail -n 1; }
hosts=nats
[[ $(value COMPOSE_PROFILES) != *nats-cluster* ]] || hosts=nats-1,nats-2,nats-3
# configurations of versions without the monitoring port are written again
if [[ ! -e nats/dataplane.creds || ! -e nats/release_signing_key ]] || ! grep -qs '^http: ' "nats/${hosts%%,*}.conf"; then
  mkdir -p nats
  GATEWAYCTL=${GATEWAYCTL:-docker run --rm --network none --user $(id -u):$(id -g) -v $PWD/nats:/nats:z --entrypoint /gatewayctl gateway-controlplane:${GATEWAY_VERSION:-latest}}
  # shellcheck disable=SC2086 # a command with its arguments
  $GATEWAYCTL nats setup --shared --dir "${GATEWAYCTL_DIR:-/nats}" --hosts "$hosts" --install-dir /etc/gateway/nats >/dev/null
  ((EUID != 0)) || chown -R "$(value GATEWAY_USER)" nats
  echo "created nats/: credentials for each role, the key that signs releases, certificates, configurations"
fi
