package bus

import "github.com/hybridinference/gateway/shared/env"

// Settings are where NATS is, as a process is told.
type Settings struct {
	URL   string   `env:"NATS_URL" default:"nats://127.0.0.1:4222" help:"NATS servers, separated by commas; tls:// requires TLS"`
	Creds env.File `env:"NATS_CREDS" help:"credentials file for NATS"`
	CA    env.File `env:"NATS_CA" help:"PEM file with the CA certificates to trust for NATS; the system's if not set"`
	Cert  env.File `env:"NATS_CERT" help:"PEM file of a client certificate, for NATS servers that require one"`
	Key   env.File `env:"NATS_KEY" help:"PEM file of its key"`
}

// Check implements env.Checker.
func (s *Settings) Check(problem func(format string, args ...any)) {
	if (s.Cert == "") != (s.Key == "") {
		problem("NATS_CERT and NATS_KEY must be set together")
	}
}

// Options returns the options of a connection; Role, Name and Log are the caller's.
func (s *Settings) Options() Options {
	return Options{URL: s.URL, Creds: string(s.Creds), CA: string(s.CA), Cert: string(s.Cert), Key: string(s.Key)}
}
