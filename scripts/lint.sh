#!/usr/bin/env bash
# Checks what needs no test run: the linters, each module on its own as a Docker build sees it, and the shell scripts.
# Goes through all of it before it fails, so that one run shows everything.
set -euo pipefail
# -P: .golangci.yml compares real paths.
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
export GOFLAGS

failed=()
# check TITLE COMMAND...: runs the command and remembers its failure.
check() {
  echo "lint: $1" >&2
  "${@:2}" || failed+=("$1")
}

# module FOLDER COMMAND...: runs the command there, outside of the workspace.
module() (
  cd "$1"
  GOWORK=off "${@:2}"
)

mapfile -t modules < <(go list -m -f '{{.Dir}}')
((${#modules[@]})) # none: go has said why
check "golangci-lint" scripts/golangci.sh run "${modules[@]/%//...}"

for folder in "${modules[@]}"; do
  name=${folder#"$PWD"/}
  check "$name: go mod tidy" module "$folder" go mod tidy -diff
  check "$name: go build" module "$folder" env CGO_ENABLED=0 go build -o /dev/null ./...
done

# What differs by system is in these; the tests of several hosts and the measurements are for Linux.
for folder in shared adapters dataplane; do
  check "$folder: go vet for darwin/arm64" module "$folder" env GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go vet ./...
done

check "licences of dependencies" scripts/licenses.sh --check

mapfile -t shell < <(find .ci/run scripts deploy -type f \( -name '*.sh' -o -path .ci/run \) -not -path '*/node_modules/*')
for file in "${shell[@]}"; do
  check "bash -n $file" bash -n "$file"
done
command -v shellcheck >/dev/null || scripts/apt.sh shellcheck
check "shellcheck" shellcheck "${shell[@]}"

if ((${#failed[@]})); then
  printf 'lint failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
