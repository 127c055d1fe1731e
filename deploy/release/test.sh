#!/usr/bin/env bash
# Checks what `make release-snapshot` has left in dist/: deploy/release/test.sh
#
# Every archive and package has the programs, units and completions; those for this machine say their version, and the
# standalone program answers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
shopt -s nullglob

fail() { echo "deploy/release/test.sh: $*" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
programs=(standalone dataplane controlplane gatewayctl)

has() { # LIST NAME...
  local name
  for name in "${@:2}"; do grep -qE "(^|/)$name\$" "$1" || fail "$1 has no $name"; done
}

(cd dist && sha256sum --quiet -c checksums.txt)
for archive in dist/*.tar.gz; do
  tar -tzf "$archive" >"$folder/${archive##*/}.list"
  has "$folder/${archive##*/}.list" "${programs[@]}" gatewayctl.1.gz gatewayctl.bash _gatewayctl gatewayctl.fish LICENSE THIRD_PARTY_LICENSES config/models.yaml deploy/systemd/install.sh
done
for package in dist/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -t >"$folder/${package##*/}.list"
  has "$folder/${package##*/}.list" "${programs[@]/#/usr/bin/}" usr/lib/systemd/system/gateway-dataplane.service etc/gateway/dataplane.env usr/share/man/man1/gatewayctl.1.gz usr/share/bash-completion/completions/gatewayctl
done
if command -v rpm >/dev/null; then
  for package in dist/*.rpm; do
    rpm -qlp "$package" >"$folder/${package##*/}.list"
    has "$folder/${package##*/}.list" "${programs[@]/#/usr/bin/}" usr/lib/systemd/system/gateway-dataplane.service etc/gateway/dataplane.env
  done
fi

archive=$(echo dist/*_linux_"$(go env GOARCH)".tar.gz)
[[ -f $archive ]] || fail "no archive for this machine in dist/"
tar -xzf "$archive" -C "$folder"
cd "$folder"/gateway_*/
for program in "${programs[@]}"; do
  said=$(./"$program" --version)
  [[ $said =~ v[0-9]+\.[0-9]+\.[0-9]+.*\ go1 ]] || fail "$program --version: $said"
  echo "$said"
done
size=$(gzip -9c standalone | wc -c)
echo "standalone: $size bytes compressed"
((size <= 20000000)) || fail "standalone has $size bytes compressed, more than 20 MB"

began=$(date +%s%N)
PORT=0 CONTROL_PORT=0 METRICS_ADDR=off STATE_DIR=$folder/state ./standalone >"$folder/log" 2>&1 &
process=$!
trap 'kill "$process" 2>/dev/null || true; wait "$process" || true; rm -rf "$folder"' EXIT
for _ in {1..1000}; do
  url=$(sed -nE 's#^ *API +(http://.*/v1)$#\1#p' "$folder/log")
  [[ -n $url ]] && curl -sf -o "$folder/answer" "$url/chat/completions" -d '{"messages":[{"role":"user","content":"Ping"}]}' && break
  kill -0 "$process" 2>/dev/null || { cat "$folder/log" >&2; fail "standalone ended"; }
  sleep 0.01
done
grep -q '"choices"' "$folder/answer" || { cat "$folder/log" >&2; fail "standalone does not answer"; }
echo "first answer after $((($(date +%s%N) - began) / 1000000)) ms"
