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
  echo "node modules in $folder" >&2
  # The agents are binaries in optional packages, one a platform. A registry may lack those of other platforms; their
  # lock file then lacks them too, which npm ci takes for an error. npm install keeps to the versions in it all the same.
  how=(ci)
  [[ $folder != */agents ]] || how=(install --no-save)
  (cd "$folder" && npm "${how[@]}" --no-audit --no-fund --loglevel=error) >&2
  # Written last: an interrupted install is done again.
  mkdir -p "$folder/node_modules"
  echo "$want" >"$stamp"
done
