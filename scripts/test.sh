#!/usr/bin/env bash
# Runs the tests with the race detector: scripts/test.sh [GO TEST ARGUMENT...]
#
# Without arguments every package of every module. Gets what a fresh machine lacks (C compiler, PostgreSQL, nginx,
# PgBouncer, Prometheus, Chromium, ip, node modules), starts a throw-away PostgreSQL, and ends with one line "N passed, N failed". Reads CI (true: a skipped test
# is a failed one) and TEST_TIMEOUT (60m, per package), and passes GATEWAY_FIXTURES on to the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tests build binaries too, and git may refuse to describe a checkout that another user owns.
GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
# SQLite and its libc are C translated to Go: the race detector makes them ten times slower and has nothing to find in them.
# Not their driver: it instantiates generics of sync, and the linker may choose an uninstrumented copy for all.
GOFLAGS+=" -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false"
export GOFLAGS CGO_ENABLED=1
# A process with the race detector sleeps for a second before it exits: every test binary, every gatewayctl of a test.
export GORACE="atexit_sleep_ms=0 ${GORACE-}"

# links says whether a C program can be linked, which the race detector needs.
links() {
  echo 'int main(void) { return 0; }' | "$(go env CC)" -x c -o /dev/null - 2>/dev/null
}
links || scripts/apt.sh gcc libc6-dev
scripts/node.sh
[[ -x /usr/sbin/nginx ]] || scripts/apt.sh nginx-light
command -v ip curl openssl >/dev/null || scripts/apt.sh iproute2 curl openssl
[[ -x /usr/sbin/pgbouncer ]] || scripts/apt.sh pgbouncer
command -v prometheus promtool >/dev/null || scripts/apt.sh prometheus
command -v chromium >/dev/null || scripts/apt.sh chromium

events=$(mktemp) flaky=$(mktemp)
trap 'rm -f "$events" "$flaky"' EXIT

# A failed test of a full run gets one more try, so that a busy machine makes the run slower, not red; which did is
# printed. A data race gets none, nor do more than three failures.
retry=()
if (($# == 0)); then
  # deploy/e2e takes longest and mostly waits: it begins before what can run beside it.
  all=$(go list work)
  packages=$(grep -E '/gateway/(adapters|controlplane)(/|$)' <<<"$all")
  packages+=" $(grep -E '/deploy/e2e(/|$)' <<<"$all")"
  packages+=" $(grep -vE '/gateway/(adapters|controlplane|deploy/e2e)(/|$)' <<<"$all")"
  retry=(--rerun-fails=1 --rerun-fails-max-failures=3 --rerun-fails-run-root-test --rerun-fails-abort-on-data-race
    --rerun-fails-report "$flaky" --packages "${packages//$'\n'/ }")
fi

# -count=1: go cannot see that a test depends on a server or on a binary which it built, so no cached results.
# -timeout ends a package that hangs and shows where; a slow machine stays far below it.
scripts/postgres.sh scripts/gotestsum.sh --format pkgname --format-icons text --jsonfile "$events" "${retry[@]}" \
  -- -race -count=1 -timeout "${TEST_TIMEOUT:-60m}" "$@" &
runner=$!
# In the background, because bash runs a trap only between commands: a signal must not wait for the tests.
trap 'kill "$runner" 2>/dev/null || true' HUP INT TERM
status=0
while kill -0 "$runner" 2>/dev/null; do
  wait "$runner" && status=0 || status=$?
done

# How many recorded cases were found and tried is worth seeing although passing tests are silent.
sed -nE 's/.*"Output":"( *[^ "]+\.go:[0-9]+: )?((fixtures|result): [^"\]*).*/\2/p' "$events"

# ended ACTION: how many tests and subtests ended that way.
ended() {
  grep -c "\"Action\":\"$1\".*\"Test\":" "$events" || true
}
passed=$(ended pass) failed=$(ended fail) skipped=$(ended skip)
[[ $status != 0 ]] || failed=0 # what failed has passed since
[[ $status == 0 || $failed != 0 ]] || failed=1 # a package that did not build, a TestMain that failed
if [[ ${CI-} == true ]] && ((skipped)); then
  echo "$skipped skipped: in CI these are failures"
  failed=$((failed + skipped))
fi
[[ ! -s $flaky ]] || { echo "Tried a second time:" && cat "$flaky"; }
echo "$passed passed, $failed failed"
((passed > 0 && failed == 0))
