#!/usr/bin/env bash
# Installs the node modules that tests run on: `npm ci` beside every package-lock.json of the project.
# A folder whose lock file did not change since the last time is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t locks < <(find . -name package-lock.json -not -path '*/node_modules/*' -not -path './.cache/*')
((${#locks[@]})) || exit 0

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  scripts/apt.sh nodejs npm
fi

for lock in "${locks[@]}"; do
  folder=$(dirname "$lock")
  stamp=$folder/node_modules/.installed
  want="node $(node --version) lock $(sha256sum <"$lock")"
  [[ -f $stamp && $(<"$stamp") == "$want" ]] && continue
  echo "npm ci in $folder" >&2
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error) >&2
  # Written last: an interrupted install is done again.
  mkdir -p "$folder/node_modules"
  echo "$want" >"$stamp"
done
