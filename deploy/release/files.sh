#!/usr/bin/env bash
# Makes what a release has beside its programs, in .cache/release: the manual page and completions of gatewayctl, units
# for /usr/bin, and what an image needs under /. goreleaser calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scripts/licenses.sh --check
out=.cache/release
rm -rf "$out"
mkdir -p "$out"/{man,completions,systemd,root/etc/ssl/certs,root/usr/share/doc/gateway}

(cd controlplane && GOWORK=off CGO_ENABLED=0 go build -buildvcs=false -o "../$out/gatewayctl" ./cmd/gatewayctl)
"$out/gatewayctl" man | gzip -9n >"$out/man/gatewayctl.1.gz"
"$out/gatewayctl" completion bash >"$out/completions/gatewayctl.bash"
"$out/gatewayctl" completion zsh >"$out/completions/_gatewayctl"
"$out/gatewayctl" completion fish >"$out/completions/gatewayctl.fish"
rm "$out/gatewayctl"

for unit in deploy/systemd/*.service; do
  # nats-server is not in the package
  sed 's#/usr/local/bin/\(dataplane\|controlplane\)#/usr/bin/\1#' "$unit" >"$out/systemd/${unit##*/}"
done

deploy/docker/root.sh "$out/root"
cp /etc/ssl/certs/ca-certificates.crt "$out/root/etc/ssl/certs/"
cp LICENSE THIRD_PARTY_LICENSES "$out/root/usr/share/doc/gateway/"
# A tar keeps modes and empty folders; docker unpacks it.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$out/root" -cf "$out/root.tar" .
