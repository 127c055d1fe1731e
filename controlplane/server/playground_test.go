package server_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// TestPlayground: a prompt goes to a node with the key that was given for it,
// and the answer comes back part by part.
func TestPlayground(t *testing.T) {
	more := make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer hyi-key" || r.Header.Get("Cookie") != "" || string(body) != `{"model":"m"}` {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"code":401,"message":"no key"}}`)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Generation-Id", "gen-1")
		_, _ = io.WriteString(w, "data: one\n\n")
		_ = http.NewResponseController(w).Flush()
		<-more
		_, _ = io.WriteString(w, "data: two\n\n")
	}))
	t.Cleanup(upstream.Close)
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Console.API = func() string { return upstream.URL } })
	b := p.browser()
	b.want("POST", "/console/playground", "{}", http.StatusUnauthorized, "Authorization")
	b.signIn(p.operator("vera", "viewer").token, http.StatusCreated)
	send := func(key string, change func(http.Header)) (status int, header http.Header, lines *bufio.Scanner) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/console/playground", strings.NewReader(`{"model":"m"}`))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range b.send {
			req.Header.Set(name, value)
		}
		req.AddCookie(&http.Cookie{Name: "gateway_session", Value: b.cookies["/console gateway_session"]})
		req.Header.Set("X-API-Key", key)
		change(req.Header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp.StatusCode, resp.Header, bufio.NewScanner(resp.Body)
	}
	same := func(http.Header) {}
	if status, _, _ := send("hyi-key", func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") }); status != http.StatusForbidden {
		t.Errorf("a foreign page: status %d", status)
	}
	if status, _, _ := send("hyi-key", func(h http.Header) { h.Del("X-Gateway-Console") }); status != http.StatusForbidden {
		t.Errorf("without the header: status %d", status)
	}
	if status, header, _ := send("wrong", same); status != http.StatusUnauthorized || header.Get("X-Gateway-Answered-By") != "node" {
		t.Errorf("a wrong key: status %d %v", status, header)
	}
	_, header, lines := send("hyi-key", same)
	if !lines.Scan() || lines.Text() != "data: one" || header.Get("X-Generation-Id") != "gen-1" {
		t.Errorf("%q %v", lines.Text(), header)
	}
	close(more)
	rest := ""
	for lines.Scan() {
		rest += lines.Text()
	}
	if rest != "data: two" || lines.Err() != nil {
		t.Errorf("%q %v", rest, lines.Err())
	}
	upstream.Close()
	if status, _, _ := send("hyi-key", same); status != http.StatusBadGateway {
		t.Errorf("without a node: status %d", status)
	}
	off := start(t, requestlogtest.SQLite(t), nil).browser()
	off.signIn(token, http.StatusCreated)
	off.want("POST", "/console/playground", "{}", http.StatusNotFound, "CONSOLE_API_URL")
}
