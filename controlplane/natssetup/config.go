package natssetup

import (
	"bytes"
	"fmt"
	"net"
	"path"
	"strings"
	"text/template"
)

// fileName is a host as a file can be named.
func fileName(host string) string { return strings.ReplaceAll(host, ":", "_") }

// config is a server's configuration. Everything it keeps is on disk before it
// says so: a usage event counts as handed over then.
const config = `# NATS server {{.Host}} of the gateway; written by gatewayctl nats setup, which writes it again.
# Settings of your own go into a file that includes this one.
server_name: "{{.Name}}"
listen: "0.0.0.0:4222"
# health (/healthz) and figures (/varz), for this host alone
http: "127.0.0.1:8222"
max_payload: 8MB
jetstream {
  store_dir: "{{.Store}}"
  sync_interval: always
}
tls {
  cert_file: "{{.Dir}}/{{.Name}}.pem"
  key_file: "{{.Dir}}/{{.Name}}.key"
  ca_file: "{{.Dir}}/ca.pem"
}
{{- if .Routes}}
cluster {
  name: gateway
  listen: "0.0.0.0:6222"
  routes: [{{range .Routes}}
    "tls://{{.}}"{{end}}
  ]
  tls {
    cert_file: "{{.Dir}}/{{.Name}}.pem"
    key_file: "{{.Dir}}/{{.Name}}.key"
    ca_file: "{{.Dir}}/ca.pem"
    verify: true
  }
}
{{- end}}
include "accounts.conf"
`

// configs writes a configuration for each host.
func (s *setup) configs() error {
	form, err := template.New("nats.conf").Parse(config)
	if err != nil {
		return err
	}
	for _, host := range s.o.Hosts {
		data := struct {
			Host, Name, Store, Dir string
			Routes                 []string
		}{Host: host, Name: fileName(host), Store: s.o.StoreDir, Dir: path.Clean(s.o.InstallDir)}
		for _, other := range s.o.Hosts {
			if len(s.o.Hosts) > 1 {
				data.Routes = append(data.Routes, net.JoinHostPort(other, "6222"))
			}
		}
		var text bytes.Buffer
		if err := form.Execute(&text, data); err != nil {
			return fmt.Errorf("configuration of %s: %w", host, err)
		}
		if err := s.write(data.Name+".conf", text.Bytes(), publicMode); err != nil {
			return err
		}
	}
	return nil
}
