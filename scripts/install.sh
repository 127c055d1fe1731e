#!/bin/sh
# Gets a release of the gateway: its four programs and the example configuration, into one folder, without root.
#
#   curl -fsSL "$GATEWAY_RELEASES/install.sh" | sh                      # into ./gateway
#   curl -fsSL "$GATEWAY_RELEASES/install.sh" | sh -s -- --dir FOLDER
#
# GATEWAY_RELEASES is the address of a folder with the files of one release: checksums.txt, and for each system an archive
# gateway_VERSION_OS_ARCH.tar.gz, which unpacks into a folder of its name. A folder that has a gateway gets the newer
# programs; its configuration and data stay.
set -eu

releases=${GATEWAY_RELEASES:-https://github.com/hybridinference/gateway/releases/latest/download}
dir=gateway

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

while [ $# -gt 0 ]; do
  case $1 in
    --dir)
      [ -n "${2:-}" ] || fail "--dir needs a folder"
      dir=$2
      shift 2
      ;;
    -h | --help)
      echo "usage: [GATEWAY_RELEASES=URL] install.sh [--dir FOLDER]   (default: gateway)"
      exit 0
      ;;
    *) fail "unexpected argument $1; usage: install.sh [--dir FOLDER]" ;;
  esac
done

system=$(uname -s) machine=$(uname -m)
case $system in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  *) fail "there are releases for Linux and macOS, this is $system; with Go 1.26, \`make build\` in a clone may work" ;;
esac
case $machine in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) fail "there are releases for amd64 and arm64, this machine is $machine; build it with Go 1.26: \`make build\` in a clone" ;;
esac

if command -v curl >/dev/null; then
  get() { curl -fsSL --retry 2 -o "$2" "$1"; }
elif command -v wget >/dev/null; then
  get() { wget -q -O "$2" "$1"; }
else
  fail "curl or wget is needed"
fi
if command -v sha256sum >/dev/null; then
  sum() { sha256sum "$1" | cut -d ' ' -f 1; }
elif command -v shasum >/dev/null; then
  sum() { shasum -a 256 "$1" | cut -d ' ' -f 1; }
else
  fail "sha256sum or shasum is needed to check the download"
fi
command -v tar >/dev/null || fail "tar is needed"

mkdir -p "$dir" || fail "cannot create $dir"
# In the same file system: a program that runs is replaced by renaming.
work=$(mktemp -d "$dir/.install.XXXXXX") || fail "cannot write to $dir"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

get "$releases/checksums.txt" "$work/checksums.txt" ||
  fail "cannot download $releases/checksums.txt; GATEWAY_RELEASES must be the address of a release's folder"
# Lines are "SUM  FILE", with an asterisk before FILE if it was read as binary.
line=$(grep -E "^[0-9a-f]{64} [ *]gateway_[^ /]*_${os}_${arch}\.tar\.gz\$" "$work/checksums.txt" | head -n 1) ||
  true
[ -n "$line" ] || fail "$releases/checksums.txt lists no gateway_VERSION_${os}_${arch}.tar.gz"
want=${line%% *} archive=gateway_${line#*gateway_}

echo "downloading $archive" >&2
get "$releases/$archive" "$work/$archive" || fail "cannot download $releases/$archive"
got=$(sum "$work/$archive")
[ "$got" = "$want" ] || fail "$archive is damaged or was tampered with: its SHA-256 is $got, checksums.txt says $want; nothing is installed"

files=$work/${archive%.tar.gz}
tar -xzf "$work/$archive" -C "$work" || fail "$archive cannot be unpacked"
for program in dataplane controlplane gatewayctl standalone; do
  [ -f "$files/$program" ] || fail "$archive has no $program"
done
"$files/standalone" --version >"$work/version" || fail "standalone of $archive does not run on this machine"

mkdir -p "$dir/bin" "$dir/config"
for program in dataplane controlplane gatewayctl standalone; do
  mv -f "$files/$program" "$dir/bin/$program"
done
for file in models.yaml routing.yaml; do
  if [ ! -e "$dir/config/$file" ]; then mv "$files/config/$file" "$dir/config/"; fi
done
if [ -f "$files/.env.example" ]; then mv -f "$files/.env.example" "$dir/"; fi

echo "$(cat "$work/version") is in $dir; start it: cd $dir && bin/standalone"
