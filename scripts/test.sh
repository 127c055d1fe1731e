#!/usr/bin/env bash
# Runs the tests with the race detector: scripts/test.sh [GO TEST ARGUMENT...]
#
# Without arguments every package of every module. Gets what a fresh machine lacks (C compiler, PostgreSQL, nginx,
# PgBouncer, ip, node modules), starts a throw-away PostgreSQL, and ends with one line "N passed, N failed". Reads CI (true: a skipped test
# is a failed one) and passes GATEWAY_FIXTURES on to the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Tests build binaries too, and git may refuse to describe a checkout that another user owns.
GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
export GOFLAGS CGO_ENABLED=1

# links says whether a C program can be linked, which the race detector needs.
links() {
  echo 'int main(void) { return 0; }' | "$(go env CC)" -x c -o /dev/null - 2>/dev/null
}
links || scripts/apt.sh gcc libc6-dev
scripts/node.sh
[[ -x /usr/sbin/nginx ]] || scripts/apt.sh nginx-light
command -v ip curl openssl >/dev/null || scripts/apt.sh iproute2 curl openssl
[[ -x /usr/sbin/pgbouncer ]] || scripts/apt.sh pgbouncer

GOWORK=off go build -C scripts/bench -o "$PWD/.cache/testcount" ./cmd/testcount
(($# > 0)) || set -- work
# -count=1: go cannot see that a test depends on a server or on a binary which it built, so no cached results.
exec scripts/postgres.sh .cache/testcount -limit "$((14 * 60 - SECONDS))s" -- go test -json -race -count=1 -timeout 12m "$@"
