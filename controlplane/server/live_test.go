package server_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// TestLive: the state comes once, or as events of which each differs from the
// one before.
func TestLive(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	p.call("GET", "/admin/live", "", 200, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/admin/live", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: status %d (%v)", answer.StatusCode, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if answer, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it goes on for minutes
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("status %d, content type %q", answer.StatusCode, got)
	}
	p.node("n1", "")
	before := ""
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if text == before {
			t.Fatalf("twice the same event: %s", text)
		}
		before = text
		var state adminapi.LiveState
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			t.Fatal(err)
		}
		if state.Nodes.Live == 1 && state.Applied == 1 && state.Fleet[0].Node == "n1" {
			return
		}
	}
	t.Errorf("the node is in no event; the last was %s", before)
}

// TestLiveEndsWithItsToken: a stream is cut soon after its operator was revoked.
func TestLiveEndsWithItsToken(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	vera := p.operator("vera", "viewer")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/admin/live", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+vera.token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	p.call("DELETE", "/admin/operators/vera", `{}`, http.StatusOK, nil)
	start := time.Now()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || time.Since(start) > time.Minute {
		t.Errorf("the stream ended after %s with %v", time.Since(start), err)
	}
}

// TestCompressed: long answers are compressed for those who take it, as Go's
// client does by itself.
func TestCompressed(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	for path, want := range map[string]bool{"/admin/openapi.json": true, "/admin/whoami": false} {
		_, plain, _ := p.raw("GET", path, "", map[string]string{"Accept-Encoding": "identity"})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.Body.Close() != nil || string(text) != plain || answer.Uncompressed != want {
			t.Errorf("%s: compressed %v, want %v; %d bytes, want %d (%v)", path, answer.Uncompressed, want, len(text), len(plain), err)
		}
	}
}
