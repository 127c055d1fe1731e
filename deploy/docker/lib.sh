# shellcheck shell=bash
# What the scripts here share; each sources it after it has changed to deploy/docker.

compose() { docker compose "$@"; }

fail() {
  echo "$0: $*" >&2
  exit 1
}

# setting NAME DEFAULT prints what .env says.
setting() {
  local value
  value=$(sed -n "s/^$1=//p" .env | tail -n 1)
  printf '%s\n' "${value:-${2-}}"
}

# record NAME VALUE writes it to .env.
record() {
  local new
  new=$(sed "/^$1=/d" .env && printf '%s=%s\n' "$1" "$2")
  (umask 077 && printf '%s\n' "$new" >.env.new)
  mv .env.new .env
}

# nodes prints the ids of the data plane's containers.
nodes() { compose ps --all --quiet dataplane; }

# state ID prints a container's state and its health.
state() { docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1"; }

# stale prints the nodes that are not what the files, .env and upstreams.env say now, as Compose sees it.
stale() {
  compose --dry-run --progress plain up --detach --no-deps dataplane 2>&1 | sed -nE 's/.*Container +([^ ]+) +Recreate *$/\1/p'
}

# await ID waits until a node is healthy; GATEWAY_START_TIMEOUT is in seconds.
await() {
  local state deadline=$((SECONDS + ${GATEWAY_START_TIMEOUT:-120}))
  while state=$(state "$1"); do
    case $state in
      'running healthy') return 0 ;;
      exited* | dead* | restarting*) break ;;
    esac
    ((SECONDS < deadline)) || break
    sleep 0.5
  done
  echo "the new node is $state; its last lines:" >&2
  docker logs --tail 20 "$1" >&2 || true
  return 1
}

# add starts one more node and waits until it is healthy. If it does not get so, it is removed.
add() {
  local before new
  before=$(nodes)
  compose up --detach --no-deps --no-recreate --scale "dataplane=$(($(wc -w <<<"$before") + 1))" dataplane
  new=$(comm -13 <(sort <<<"$before") <(nodes | sort))
  [[ -n $new ]] || return 1
  if ! await "$new"; then
    docker rm --force "$new" >/dev/null
    return 1
  fi
}

# settle has nginx look the nodes' name up again, after one came or went. It would by itself, but a request that waits
# for a node which is gone fails when the list changes meanwhile; with a reload it keeps its list.
settle() {
  compose exec -T nginx /etc/nginx/gateway/reload.sh || echo "nginx was not reloaded; it looks names up every 30 s" >&2
  sleep "${GATEWAY_SETTLE_SECONDS:-2}"
}

# retire ID stops a node, whose streams finish (up to DRAIN_TIMEOUT_SECONDS), and removes it.
retire() {
  docker stop "$1" >/dev/null
  docker rm "$1" >/dev/null
  settle
}

# roll ID... replaces nodes one after the other: a new one is healthy before an old one stops.
roll() {
  local id
  for id in "$@"; do
    add || return 1
    settle
    retire "$id"
  done
}

# resize N adds or retires nodes until there are that many.
resize() {
  local list
  while mapfile -t list < <(nodes) && ((${#list[@]} != $1)); do
    if ((${#list[@]} < $1)); then
      add || return 1
    else
      retire "${list[-1]}"
    fi
  done
}

# others starts everything but the nodes, or takes up what changed.
others() {
  local list
  mapfile -t list < <(compose config --services | grep -vx dataplane)
  compose up --detach --wait --no-deps "${list[@]}"
}

# validate checks the configuration with the version that is about to run.
validate() { compose run --rm --no-deps -T controlplane validate >/dev/null; }

# reload has nginx and the daemon take up files that were edited.
reload() {
  compose exec -T nginx /etc/nginx/gateway/reload.sh
  compose kill --signal HUP controlplane
}

# use_version exports the version that runs, or that of the checkout before the first start.
use_version() {
  local first
  GATEWAY_VERSION=$(setting GATEWAY_VERSION)
  if [[ -z $GATEWAY_VERSION ]]; then # an installation that is older than the entry in .env
    export GATEWAY_VERSION=${CHECKOUT:-latest}
    first=$(nodes | head -n 1)
    [[ -z $first ]] || GATEWAY_VERSION=$(docker inspect --format '{{.Config.Image}}' "$first" | sed 's/.*://')
    record GATEWAY_VERSION "$GATEWAY_VERSION"
  fi
  export GATEWAY_VERSION
}
