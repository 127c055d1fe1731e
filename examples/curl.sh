#!/usr/bin/env bash
# Streams an answer, then asks the gateway what became of the request.
set -euo pipefail
url=${GATEWAY_URL:-http://localhost:8080} key=${GATEWAY_KEY:-none}
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT

curl -sSN --fail-with-body -D "$headers" "$url/v1/chat/completions" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' \
  -d '{"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Count to 5"}]}'

id=$(sed -n 's/^x-generation-id: *//Ip' "$headers" | tr -d '\r')
curl -sS --fail-with-body "$url/api/v1/generation?id=$id" -H "Authorization: Bearer $key"
echo
