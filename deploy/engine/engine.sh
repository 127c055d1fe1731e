#!/usr/bin/env bash
# Runs a command with a Docker engine of its own: deploy/engine/engine.sh COMMAND [ARGUMENT...]
#
# The engine is Debian's docker.io with its own data root; Compose is the version in go.mod. Registries may be out of
# reach where tests run, so the images of others, under the names that Dockerfile and docker-compose.yml use, are made of
# Debian packages and this machine's Go. Everything is gone when the command has ended; with ENGINE_DIR=FOLDER the
# images and Docker's caches stay there for the next run; remove it for images anew. It needs root.
set -euo pipefail

if (($# == 0)); then
  echo "usage: [ENGINE_DIR=FOLDER] deploy/engine/engine.sh COMMAND [ARGUMENT...]" >&2
  exit 2
fi
((EUID == 0)) || { echo "deploy/engine/engine.sh: run it as root: it starts dockerd" >&2; exit 1; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..

command -v dockerd >/dev/null || "$root/scripts/apt.sh" docker.io iptables
command -v debootstrap >/dev/null || "$root/scripts/apt.sh" debootstrap debian-archive-keyring
GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
export GOFLAGS

# A socket's path has to be short, whatever the folder of the data is.
run=$(mktemp -d /tmp/gateway-engine.XXXXXX)
data=${ENGINE_DIR:-$run/data}
mkdir -p "$data"
data=$(cd "$data" && pwd)
daemon=

# shellcheck disable=SC2317,SC2329 # the EXIT trap calls it
remove() {
  trap '' INT TERM HUP
  if [[ -n $daemon ]]; then
    docker ps --quiet | xargs --no-run-if-empty docker kill >/dev/null 2>&1 || true
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" || true
  fi
  rm -rf "$run"
}
trap remove EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  dockerd --data-root "$data/docker" --exec-root "$run/exec" --pidfile "$run/pid" --host "$DOCKER_HOST" --log-level warn >"$data/dockerd.log" 2>&1 &
  daemon=$!
  for _ in {1..150}; do
    docker info >/dev/null 2>&1 && return
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 20 "$data/dockerd.log" >&2
  return 1
}

# images makes those of others, once.
images() {
  local name context=$run/context
  if ! docker image inspect gateway-test/debian >/dev/null 2>&1; then
    echo "making base images of Debian packages" >&2
    debootstrap --variant=minbase --include=ca-certificates,curl,wget,nginx-light,postgresql-15 bookworm "$run/debian" >"$data/debootstrap.log" || { tail -n 20 "$data/debootstrap.log" >&2; return 1; }
    rm -rf "$run"/debian/var/cache/apt/archives/*.deb
    tar -C "$run/debian" -c . | docker import - gateway-test/debian >/dev/null
    rm -rf "$run/debian"
  fi
  cp -r "$here/images" "$context"
  cp -rL "$(go env GOROOT)" "$context/go"
  rm -rf "$context/go/test"
  # a proxy between here and the Go modules may have an authority of its own
  cp /etc/ssl/certs/ca-certificates.crt "$context/certificates.pem"
  (cd "$root/deploy/standalone" && GOWORK=off CGO_ENABLED=0 go build -o "$context/nats-server" github.com/nats-io/nats-server/v2)
  while read -r name; do
    ! docker image inspect "$name" >/dev/null 2>&1 || continue
    docker build --quiet --target "${name%%:*}" --tag "$name" "$context" >/dev/null
  done < <(sed -nE 's/^(FROM| *image:) +((golang|nats|nginx|postgres):[^@ ]+).*/\2/p' "$here/../docker/Dockerfile" "$here/../docker/docker-compose.yml")
  rm -rf "$context"
}

# The client that came with the engine: another one may want a plugin to build images.
mkdir "$run/bin"
ln -s /usr/bin/docker "$run/bin/docker"
export PATH=$run/bin:$PATH
export DOCKER_HOST=unix://$run/docker.sock DOCKER_CONFIG=$run/config DOCKER_BUILDKIT=1
mkdir -p "$DOCKER_CONFIG/cli-plugins"
(cd "$here" && GOWORK=off go build -o "$DOCKER_CONFIG/cli-plugins/docker-compose" github.com/docker/compose/v2/cmd)
start
# of a run that was interrupted
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force >/dev/null
docker volume ls --quiet | xargs --no-run-if-empty docker volume rm >/dev/null
images

# In the background, because bash runs a trap only between commands.
"$@" <&0 &
status=0
wait $! || status=$?
exit "$status"
