#!/bin/sh
# In nginx' container: takes up gateway.conf.template, gateway.d/ and certificates that were edited. What is wrong is
# said and changes nothing.
set -eu
saved=$(cat /etc/nginx/conf.d/gateway.conf)
/docker-entrypoint.d/20-envsubst-on-templates.sh >/dev/null
if ! nginx -q -t -c /etc/nginx/gateway/nginx.conf; then
    printf '%s\n' "$saved" >/etc/nginx/conf.d/gateway.conf
    exit 1
fi
nginx -c /etc/nginx/gateway/nginx.conf -s reload
