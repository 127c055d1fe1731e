#!/usr/bin/env bash
# Pins the images that are not ours to their current digests, in Dockerfile and docker-compose.yml:
#
#   deploy/docker/pin.sh
#
# A tag without a digest gets one, and a digest is replaced by what its tag names now. It pulls the images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

files=(Dockerfile docker-compose.yml)
mapfile -t images < <(sed -nE 's/^(FROM| *image:) +([a-z0-9.:/-]+\/)?([a-z0-9-]+:[A-Za-z0-9._-]+)(@sha256:[0-9a-f]+)?( AS .*)?$/\2\3/p' "${files[@]}" | sort -u)
((${#images[@]} > 0)) || { echo "deploy/docker/pin.sh: found no image in ${files[*]}" >&2; exit 1; }
for image in "${images[@]}"; do
  docker pull --quiet "$image" >/dev/null
  digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$image" | sed 's/.*@//')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "deploy/docker/pin.sh: $image has no digest, got \"$digest\"" >&2; exit 1; }
  sed -Ei "s|^((FROM\| *image:) +)$image(@sha256:[0-9a-f]+)?( AS .*)?\$|\1$image@$digest\4|" "${files[@]}"
  echo "$image@$digest"
done
