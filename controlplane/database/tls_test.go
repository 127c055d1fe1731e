package database_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// TestPostgresCertificates has the TLS handshake of a PostgreSQL connection with a
// server that asks for a certificate: the client shows its own, and goes on only
// with a server whose certificate it trusts.
func TestPostgresCertificates(t *testing.T) {
	dir := t.TempDir()
	server := certificate(t, dir, "server")
	certificate(t, dir, "client")
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

// certificate makes a self-signed one in two files.
func certificate(t *testing.T, dir, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	for path, text := range map[string][]byte{name + ".pem": cert, name + ".key": private} {
		if err := os.WriteFile(filepath.Join(dir, path), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(cert, private)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}
