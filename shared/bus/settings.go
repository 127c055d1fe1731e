package bus

import (
	"os"

	"github.com/hybridinference/gateway/shared/env"
)

// Read takes from its settings where NATS is. Role, Name and Log are left to
// the caller.
func Read(r *env.Reader) Options {
	o := Options{
		URL:   r.String("NATS_URL", "nats://127.0.0.1:4222", "NATS servers, comma-separated; tls:// insists on TLS"),
		Creds: r.String("NATS_CREDS", "", "credentials file for NATS"),
		CA:    r.String("NATS_CA", "", "PEM file of the authorities that NATS servers' certificates must come from; the system's if not set"),
		Cert:  r.String("NATS_CERT", "", "PEM file of a client certificate, for NATS servers that ask for one"),
		Key:   r.String("NATS_KEY", "", "PEM file of its key"),
	}
	if (o.Cert == "") != (o.Key == "") {
		r.Problemf("NATS_CERT and NATS_KEY must be set together")
	}
	for name, path := range map[string]string{"NATS_CREDS": o.Creds, "NATS_CA": o.CA, "NATS_CERT": o.Cert, "NATS_KEY": o.Key} {
		if path == "" {
			continue
		}
		if f, err := os.Open(path); err != nil {
			r.Problemf("%s must name a file that can be read: %s", name, err)
		} else {
			_ = f.Close() // it was only read
		}
	}
	return o
}
