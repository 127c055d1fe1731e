#!/usr/bin/env bash
# Installs Debian packages: scripts/apt.sh PACKAGE...
set -euo pipefail

if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  echo "missing on this machine: $* (as root on Debian: apt-get install $*)" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# Another apt on a fresh machine (unattended upgrades) may hold the lock for a while.
wait_for_lock=(-o DPkg::Lock::Timeout=120)
apt-get "${wait_for_lock[@]}" update -qq
apt-get "${wait_for_lock[@]}" install -y -qq --no-install-recommends "$@" >/dev/null
