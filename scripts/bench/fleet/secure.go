package fleet

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// The files of the https side, in the fleet's directory.
const (
	certFile = "tls.pem"
	keyFile  = "tls.key"
)

// makeCertificate writes a certificate for loopback that signs itself.
func makeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a TLS key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make a TLS certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make a TLS key: %w", err)
	}
	if err := writePEM(filepath.Join(dir, keyFile), "PRIVATE KEY", der); err != nil {
		return err
	}
	return writePEM(filepath.Join(dir, certFile), "CERTIFICATE", cert)
}

func writePEM(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write a TLS file: %w", err)
	}
	return nil
}

// startSecure starts what makes the upstream one with TLS and HTTP/2, and the proxy
// that the node is compared with there.
func (f *Fleet) startSecure(ctx context.Context) error {
	if err := makeCertificate(f.o.Dir); err != nil {
		return err
	}
	front, err := f.role("https upstream", roleFront, f.addr.front, f.addr.upstream, f.o.Dir)
	if err != nil {
		return err
	}
	if err := front.Await(ctx, listens(f.addr.front)); err != nil {
		return err
	}
	bare, err := f.role("https proxy", roleSecureProxy, f.addr.secureProxy, f.addr.front, f.o.Dir)
	if err != nil {
		return err
	}
	if err := bare.Await(ctx, serves("http://"+f.addr.secureProxy+"/health")); err != nil {
		return err
	}
	f.Secure = []Target{{Name: Proxy, Addr: f.addr.secureProxy, Process: bare}}
	return nil
}

// relay is net/http's reverse proxy: each part of an answer is passed on when it comes.
func relay(to *url.URL, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     transport,
		FlushInterval: -1,
	}
}

// eventWise makes a DATA frame and a TLS record of each event, as providers do. Without
// it those that arrive together would leave together.
type eventWise struct{ http.ResponseWriter }

// Write implements io.Writer.
func (w eventWise) Write(p []byte) (n int, err error) {
	for event := range bytes.SplitAfterSeq(p, []byte("\n\n")) {
		var part int
		part, err = w.ResponseWriter.Write(event)
		if n += part; err != nil {
			return n, err
		}
		if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Unwrap is for http.ResponseController.
func (w eventWise) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// playFront takes HTTP/2 over TLS for the upstream.
func playFront(ctx context.Context, addr, upstream, dir string) error {
	transport := &http.Transport{MaxIdleConnsPerHost: 1 << 10}
	next := relay(&url.URL{Scheme: "http", Host: upstream}, transport)
	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(eventWise{w}, r) })
	s := &http.Server{Addr: addr, Handler: events, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	return served(s.ListenAndServeTLS(filepath.Join(dir, certFile), filepath.Join(dir, keyFile)))
}

// playSecureProxy is a bare reverse proxy to an https upstream.
func playSecureProxy(ctx context.Context, addr, upstream, dir string) error {
	ca, err := os.ReadFile(filepath.Join(dir, certFile))
	if err != nil {
		return fmt.Errorf("read the CA: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 256, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true}
	s := &http.Server{Addr: addr, Handler: relay(&url.URL{Scheme: "https", Host: upstream}, transport), ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	return served(s.ListenAndServe())
}

// served is the error of a server, which always has one.
func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve: %w", err)
}
