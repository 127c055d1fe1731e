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
	edge.nginx(map[string]string{"GATEWAY_NODES": "server 127.0.0.1:8080;", "GATEWAY_LISTEN": "80", "GATEWAY_ADMIN": "127.0.0.1:8080", "GATEWAY_ADMIN_ALLOW": "allow 10.88.0.0/24;"})

	ask := func(from *host, url string) (*http.Response, string) {
		t.Helper()
		client := from.client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec,errcheck,forcetypeassert // the test's own
		var resp *http.Response
		var body string
		eventually(t, 10*time.Second, url, func() error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			req.Header.Set("CF-Connecting-IP", "203.0.113.9")
			req.Header.Set("X-Forwarded-For", "198.51.100.1") // a lie
			if resp, err = client.Do(req); err != nil {       //nolint:bodyclose // it is read to its end below
				return err
			}
			b, err := io.ReadAll(resp.Body)
			body = string(b)
			return errors.Join(err, resp.Body.Close())
		})
		return resp, body
	}
	if resp, _ := ask(cdn, "http://"+edge.ip+"/v1/models"); resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != "https://"+edge.ip+"/v1/models" {
		t.Errorf("http: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	resp, body := ask(cdn, "https://"+edge.ip+"/v1/models")
	if want := "203.0.113.9 asks for /v1/models by https"; body != want || !strings.HasPrefix(resp.Header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("by Cloudflare: %q %v, want %q", body, resp.Header, want)
	}
	if _, body := ask(stranger, "https://10.88.0.1/health"); body != "10.88.0.2 asks for /health by https" {
		t.Errorf("by a stranger who says that he is Cloudflare: %q", body)
	}
	if resp, _ := ask(stranger, "https://10.88.0.1/admin/nodes"); resp.StatusCode != http.StatusOK {
		t.Errorf("admin for its network: %d", resp.StatusCode)
	}
	if resp, _ := ask(cdn, "https://"+edge.ip+"/admin/nodes"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("admin for others: %d", resp.StatusCode)
	}
}
