#!/usr/bin/env bash
# Renews the certificates of NATS that end within 90 days, and restarts its servers one at a time; nodes go on
# meanwhile. `make renew` calls it; once a month is enough. Further arguments are those of gatewayctl nats renew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source-path=SCRIPTDIR
. ./lib.sh

use_version
GATEWAYCTL=${GATEWAYCTL:-docker run --rm --network none --user $(id -u):$(id -g) -v $PWD/nats:/nats:z --entrypoint /gatewayctl gateway-controlplane:$GATEWAY_VERSION}
# shellcheck disable=SC2086 # a command with its arguments
said=$($GATEWAYCTL nats renew --dir "${GATEWAYCTL_DIR:-/nats}" "$@")
printf '%s\n' "$said"
[[ $said == *renewed* ]] || exit 0
((EUID != 0)) || chown -R "$(setting GATEWAY_USER)" nats
for service in $(compose config --services | grep '^nats'); do
  compose restart "$service"
  compose up --detach --wait --no-deps --no-recreate "$service"
done
