#!/usr/bin/env bash
# Writes THIRD_PARTY_LICENSES: the licences of what the released programs contain, from the sources that they are built
# of: scripts/licenses.sh [--check]
#
# --check changes nothing and fails if the file is not what it would write. A module without a licence is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case ${1-} in
  '' | --check) ;;
  *) echo "usage: scripts/licenses.sh [--check]" >&2; exit 2 ;;
esac
GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
export GOFLAGS GOWORK=off CGO_ENABLED=0

# packages prints MODULE VERSION FOLDER-OF-MODULE FOLDER for each package of others, on every system that is released.
packages() {
  local system module
  for system in linux darwin; do
    for module in dataplane controlplane deploy/standalone; do
      (cd "$module" && GOOS=$system GOARCH=amd64 go list -tags grpcnotrace -deps \
        -f '{{with .Module}}{{if .Version}}{{.Path}} {{.Version}} {{.Dir}} {{$.Dir}}{{end}}{{end}}' "$([[ -d cmd ]] && echo ./cmd/... || echo .)")
    done
  done | grep -v '^github.com/hybridinference/gateway/' | sort -u
}

# texts prints the licence files beside each package and above it, up to its module.
texts() {
  local module version top folder
  while read -r module version top folder; do
    while :; do
      find -L "$folder" -maxdepth 1 -type f \( -iname 'licen[sc]e*' -o -iname 'copying*' -o -iname 'notice*' -o -iname 'patents*' -o -iname 'unlicense*' \) -not -name '*.go' \
        -printf "$module $version %p\n"
      [[ $folder != "$top" ]] || break
      folder=${folder%/*}
    done
  done | LC_ALL=C sort -u
}

write() {
  local list found missing module version file name sum goroot
  goroot=$(go env GOROOT)
  local -A title text # by the sum of a licence: many modules have the same
  list=$(packages)
  found=$(texts <<<"$list")
  missing=$(comm -23 <(cut -d ' ' -f 1 <<<"$list" | LC_ALL=C sort -u) <(cut -d ' ' -f 1 <<<"$found" | LC_ALL=C sort -u))
  [[ -z $missing ]] || { echo "scripts/licenses.sh: no licence found of ${missing//$'\n'/, }" >&2; return 1; }
  while read -r module version file; do
    sum=$(tr -d '\r' <"$file" | sha256sum)
    name=${file#*"@$version/"} name=${name#"$PWD/"}
    title[$sum]+="==== $module $version: ${name#"$goroot/"}"$'\n'
    text[$sum]=$file
  done < <(
    echo "Go standard-library $goroot/LICENSE"
    printf '%s\n' "$found"
    find "$PWD/controlplane/console/assets/vendor" -name LICENSE -printf 'console vendored %p\n'
    echo "vocabulary vendored $PWD/dataplane/tokens/LICENSE.o200k"
  )
  echo "The gateway's programs contain the software below, under the licences below. scripts/licenses.sh writes this file."
  for sum in "${!title[@]}"; do
    printf '%s\t%s\n' "${title[$sum]%%$'\n'*}" "$sum"
  done | LC_ALL=C sort | while IFS=$'\t' read -r _ sum; do
    printf '\n%s\n' "${title[$sum]}"
    tr -d '\r' <"${text[$sum]}"
  done
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
write >"$new"
if [[ ${1-} == --check ]]; then
  cmp -s "$new" THIRD_PARTY_LICENSES || { echo "THIRD_PARTY_LICENSES is not current: scripts/licenses.sh" >&2; exit 1; }
  exit
fi
install -m 644 "$new" THIRD_PARTY_LICENSES
