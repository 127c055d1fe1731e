package upstream_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

// A rule may have code of its own, whose streams arrive as they are flushed.
func TestRespond(t *testing.T) {
	b := start(t)
	gone := make(chan struct{})
	next := make(chan struct{}, 1)
	b.script(upstream.Rule{Path: "/code", Script: upstream.Script{Respond: func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Query().Get("a") != "b" || r.Header.Get("X-Test") != "yes" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprintf(w, "%s %s\n", r.Method, body)
		for r.Context().Err() == nil {
			_ = http.NewResponseController(w).Flush()
			<-next
			_, _ = io.WriteString(w, "more\n")
		}
		close(gone)
	}}})
	ask := func(query string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, b.URL()+"/code"+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Test", "yes")
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	refused := ask("")
	defer refused.Body.Close() //nolint:errcheck // was read
	if text, err := io.ReadAll(refused.Body); err != nil || refused.StatusCode != 400 || string(text) != "bad request\n" {
		t.Errorf("%d %q %v", refused.StatusCode, text, err)
	}
	resp := ask("?a=b")
	got := make([]byte, len("PUT \n"))
	if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "PUT \n" || resp.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%q %v", got, err)
	}
	_ = resp.Body.Close()
	b.client.CloseIdleConnections()
	for {
		select {
		case next <- struct{}{}:
		case <-gone:
			return
		case <-t.Context().Done():
			t.Fatal("the code does not notice that its client left")
		}
	}
}
