package e2e_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// listen binds an address of the host.
func (h *host) listen(address string) (net.Listener, error) {
	var ln net.Listener
	err := h.inside(func() (err error) {
		ln, err = new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		return err
	})
	return ln, err
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
}

// TestEdge has the real nginx with the examples for TLS and Cloudflare: http goes
// to https, browsers are told to stay there, and who asks is what Cloudflare says,
// if it is Cloudflare that says it.
func TestEdge(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, "173.245.48") // one of Cloudflare's networks
	edge, cdn, stranger := n.host("edge"), n.plug("cdn"), n.plug("stranger")
	edge.in(edge.ns, "ip", "addr", "add", "10.88.0.1/24", "dev", "eth0")
	stranger.in(stranger.ns, "ip", "addr", "add", "10.88.0.2/24", "dev", "eth0")

	node, err := edge.listen("127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s asks for %s by %s", r.Header.Get("X-Forwarded-For"), r.URL.Path, r.Header.Get("X-Forwarded-Proto"))
	})}
	go func() { _ = server.Serve(node) }()
	t.Cleanup(func() { _ = server.Close() })

	for _, name := range []string{"tls.conf", "cloudflare.conf"} {
		edge.bring(filepath.Join(root, "deploy", "nginx", "examples", name), "/etc/nginx/gateway.d/"+name)
	}
	edge.must(nil, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=gateway.example",
		"-keyout", "/etc/nginx/gateway.d/privkey.pem", "-out", "/etc/nginx/gateway.d/fullchain.pem")
	edge.nginx(map[string]string{"GATEWAY_RESOLVER": "", "GATEWAY_NODES": "server 127.0.0.1:8080;", "GATEWAY_LISTEN": "80", "GATEWAY_ADMIN": "127.0.0.1:8080", "GATEWAY_ADMIN_ALLOW": "allow 10.88.0.0/24;"})

	ask := func(from *host, url string) answer {
		t.Helper()
		client := from.client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:errcheck // the test's own
		var out answer
		eventually.Nil(t, 10*time.Second, url, func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			req.Header.Set("CF-Connecting-IP", "203.0.113.9")
			req.Header.Set("X-Forwarded-For", "198.51.100.1") // a lie
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			b, err := io.ReadAll(resp.Body)
			out = answer{resp.StatusCode, resp.Header, string(b)}
			return errors.Join(err, resp.Body.Close())
		})
		return out
	}
	if a := ask(cdn, "http://"+edge.ip+"/v1/models"); a.status != http.StatusMovedPermanently || a.header.Get("Location") != "https://"+edge.ip+"/v1/models" {
		t.Errorf("http: %d %s", a.status, a.header.Get("Location"))
	}
	a := ask(cdn, "https://"+edge.ip+"/v1/models")
	if want := "203.0.113.9 asks for /v1/models by https"; a.body != want || !strings.HasPrefix(a.header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("by Cloudflare: %q %v, want %q", a.body, a.header, want)
	}
	if a := ask(stranger, "https://10.88.0.1/health"); a.body != "10.88.0.2 asks for /health by https" {
		t.Errorf("by a stranger who says that he is Cloudflare: %q", a.body)
	}
	if a := ask(stranger, "https://10.88.0.1/admin/nodes"); a.body != "10.88.0.2 asks for /admin/nodes by https" {
		t.Errorf("admin for its network: %d %q", a.status, a.body)
	}
	if a := ask(cdn, "https://"+edge.ip+"/admin/nodes"); a.status != http.StatusForbidden {
		t.Errorf("admin for others: %d", a.status)
	}
}
