#!/bin/sh
# Debian's nginx is older than 1.27.3 and does not know `resolve`: it looks names up when it is reloaded.
set -eu
mkdir -p /etc/nginx/conf.d
exec perl -pe 's/\$\{(GATEWAY_\w+)\}/$ENV{$1}/g; s/ resolve / /' "$NGINX_ENVSUBST_TEMPLATE_DIR/gateway.conf.template" >/etc/nginx/conf.d/gateway.conf
