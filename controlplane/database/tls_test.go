package database_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/bus/bustest"
)

// TestPostgresCertificates has the TLS handshake of a PostgreSQL connection with a
// server that asks for a certificate: the client shows its own, and goes on only
// with a server whose certificate it trusts.
func TestPostgresCertificates(t *testing.T) {
	dir := t.TempDir()
	server, err := tls.LoadX509KeyPair(bustest.SelfSigned(t, dir, "server"))
	if err != nil {
		t.Fatal(err)
	}
	bustest.SelfSigned(t, dir, "client")
	f := func(c database.PostgresConfig, want string) {
		t.Helper()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ln.Close() }()
		seen := make(chan string, 1)
		go func() {
			if c, err := ln.Accept(); err == nil {
				seen <- handshake(c, server)
			}
		}()
		_, text, _ := net.SplitHostPort(ln.Addr().String())
		c.Host = "127.0.0.1"
		c.Port, _ = strconv.Atoi(text)
		db, err := database.Open(t.Context(), database.Config{Backend: database.BackendPostgres, Postgres: c})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = db.Ping(ctx) // the server hangs up after the handshake
		if got := <-seen; got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
	pair := func(mode, root string) database.PostgresConfig {
		return database.PostgresConfig{SSLMode: mode, RootCert: root, Cert: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client.key")}
	}
	f(pair("verify-full", filepath.Join(dir, "server.pem")), "client")
	f(pair("verify-full", filepath.Join(dir, "client.pem")), "not trusted")
	f(database.PostgresConfig{SSLMode: "require"}, "no certificate")
	f(database.PostgresConfig{SSLMode: "disable"}, "no TLS")
}

// handshake answers a client's first message and returns who it is.
func handshake(c net.Conn, own tls.Certificate) string {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	var first [8]byte
	if _, err := io.ReadFull(c, first[:]); err != nil {
		return err.Error()
	}
	if first[4] != 4 || first[5] != 210 { // not an SSLRequest
		return "no TLS"
	}
	if _, err := c.Write([]byte("S")); err != nil {
		return err.Error()
	}
	t := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, MaxVersion: tls.VersionTLS12})
	if t.Handshake() != nil {
		return "not trusted"
	}
	peers := t.ConnectionState().PeerCertificates
	if len(peers) == 0 {
		return "no certificate"
	}
	return peers[0].Subject.CommonName
}
