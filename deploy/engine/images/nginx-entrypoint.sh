#!/bin/sh
# As that of nginx' own image, for what ours uses of it.
set -eu
/docker-entrypoint.d/20-envsubst-on-templates.sh
exec "$@"
