package fleet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hybridinference/gateway/scripts/bench/process"
)

// nginxConf makes nginx a proxy like the other: connections of both sides are kept,
// nothing is buffered, logged or looked at. It is one process, so that its cost is that
// of its process.
const nginxConf = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
	access_log off;
	client_max_body_size 0;
	client_body_buffer_size 256k;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	keepalive_requests 1000000000;
	upstream model {
		server %s;
		keepalive 1000;
		keepalive_requests 1000000000;
	}
	server {
		listen %s backlog=4096;
		location / {
			proxy_pass http://model;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_buffering off;
			proxy_read_timeout 300s;
		}
	}
}
`

// startNginx starts nginx, if there is one.
func (f *Fleet) startNginx(ctx context.Context) error {
	if f.o.Nginx == "" {
		return nil
	}
	conf := filepath.Join(f.o.Dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, f.addr.upstream, f.addr.nginx), 0o600); err != nil {
		return fmt.Errorf("write nginx.conf: %w", err)
	}
	prefix := filepath.Join(f.o.Dir, Nginx)
	p, err := f.launch(process.Options{Name: Nginx, Path: f.o.Nginx, Args: []string{"-p", prefix, "-c", conf}})
	if err != nil {
		return err
	}
	if err := p.Await(ctx, serves("http://"+f.addr.nginx+"/health")); err != nil {
		return err
	}
	f.Targets = append(f.Targets, Target{Name: Nginx, Addr: f.addr.nginx, Process: p})
	return nil
}
