#!/usr/bin/env bash
# Runs every fuzz target of every module for FUZZTIME (10s) each; a crasher is left in the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mapfile -t targets < <(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' adapters controlplane dataplane deploy scripts shared | sort)
for target in "${targets[@]}"; do
  folder=$(dirname "${target%%:*}")
  name=${target##*func }
  echo "fuzz: $folder $name"
  # Making inputs smaller that are merely new takes up to a minute each, in which nothing is tried.
  go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 10x "./$folder"
done
echo "fuzz: ${#targets[@]} targets"
