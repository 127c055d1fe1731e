package bus_test

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/eventually"
)

// TestClientCertificates has a server that lets in whoever shows a certificate.
func TestClientCertificates(t *testing.T) {
	certFile, keyFile := bustest.SelfSigned(t, t.TempDir(), "both")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, TLSVerify: true, TLSTimeout: 5,
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
	})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server is not ready")
	}
	settings := bus.Settings{URL: s.ClientURL(), CA: env.File(certFile)}
	without := connect(t, settings)
	settings.Cert, settings.Key = env.File(certFile), env.File(keyFile)
	with := connect(t, settings)
	eventually.True(t, "the one with a certificate is let in", with.IsConnected)
	if without.IsConnected() {
		t.Error("one without a certificate was let in")
	}
}

func connect(t *testing.T, s bus.Settings) *nats.Conn {
	t.Helper()
	o := s.Options()
	o.Role, o.Name, o.Log = "test", "test", slog.New(slog.DiscardHandler)
	c, err := bus.Connect(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
