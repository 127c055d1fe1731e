package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/wire"
)

// page is a request as a browser makes it for a page of an origin.
func (n *node) page(method, path, host string, headers ...string) reply {
	n.t.Helper()
	body := ""
	if method == http.MethodPost {
		body = ping
	}
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return reply{Response: resp}
}

// as is a chat of a program that calls the gateway by another name.
func (n *node) as(host string) reply {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, n.url+"/v1/chat/completions", strings.NewReader(ping))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return reply{resp, string(b)}
}

// A gateway without keys is there for programs and pages of its machine only.
func TestPagesOfOtherSites(t *testing.T) {
	demo := model("demo", endpoint("demo:demo-api", "demo", ""))
	keyless := start(t, nodeOptions{gateway: gateway.Options{Origins: []string{"https://app.example"}}}, demo)
	f := func(n *node, method, host, origin, site string, status int, allowed string) {
		t.Helper()
		headers := []string{"Content-Type", "text/plain"}
		if origin != "" {
			headers = append(headers, "Origin", origin)
		}
		if site != "" {
			headers = append(headers, "Sec-Fetch-Site", site)
		}
		path := "/v1/chat/completions"
		if method == http.MethodGet {
			path = "/v1/models"
		}
		r := n.page(method, path, host, headers...)
		if got := r.Header.Get("Access-Control-Allow-Origin"); r.StatusCode != status || got != allowed {
			t.Errorf("%s as %q of %q (%s): %d, allowed %q; want %d, %q", method, host, origin, site, r.StatusCode, got, status, allowed)
		}
	}
	f(keyless, "POST", "", "", "", 200, "")
	f(keyless, "POST", "localhost:8080", "http://localhost:3000", "same-site", 200, "http://localhost:3000")
	f(keyless, "POST", "[::1]:8080", "http://127.0.0.1:5173", "cross-site", 200, "http://127.0.0.1:5173")
	f(keyless, "POST", "gateway.localhost", "https://app.example", "cross-site", 200, "https://app.example")
	f(keyless, "POST", "", "https://evil.example", "cross-site", 403, "")
	f(keyless, "POST", "", "null", "cross-site", 403, "")
	f(keyless, "POST", "", "http://localhost.evil.example", "cross-site", 403, "")
	f(keyless, "POST", "", "", "cross-site", 403, "")
	f(keyless, "POST", "", "", "same-origin", 200, "")
	f(keyless, "OPTIONS", "", "https://evil.example", "cross-site", 204, "")
	f(keyless, "OPTIONS", "", "http://localhost:3000", "same-site", 204, "http://localhost:3000")
	f(keyless, "GET", "rebound.example:8080", "", "same-origin", 403, "")
	f(keyless, "POST", "rebound.example:8080", "http://rebound.example:8080", "same-origin", 403, "")
	f(keyless, "GET", "app.example", "", "", 200, "")
	f(keyless, "GET", "", "https://evil.example", "cross-site", 200, "")
	// what a container or a proxy calls it by has to be listed, and the answer says where
	if r := keyless.as("host.docker.internal:8080"); r.StatusCode != 403 || !strings.Contains(r.body, "list http://host.docker.internal:8080 in CORS_ALLOWED_ORIGINS") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	listed := start(t, nodeOptions{gateway: gateway.Options{Origins: []string{"http://host.docker.internal:8080"}}}, demo)
	if r := listed.as("host.docker.internal:8080"); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	r := keyless.page("POST", "/v1/messages", "rebound.example")
	if r.StatusCode != 403 {
		t.Errorf("%d", r.StatusCode)
	}
	keys := start(t, guarded(map[string]wire.Key{"k": {ID: "k1"}}), demo)
	f(keys, "GET", "public.example", "https://any.example", "cross-site", 401, "*")
	f(keys, "OPTIONS", "public.example", "https://any.example", "cross-site", 204, "*")
}
