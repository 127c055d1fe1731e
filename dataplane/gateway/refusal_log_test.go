package gateway_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// What is refused before it has a key has no row: the log names it, in bounded number.
func TestRefusedRequestsAreLogged(t *testing.T) {
	var log logtest.Buffer
	o := guarded(map[string]wire.Key{"hyi-good": {ID: "k"}})
	o.gateway.Log = slog.New(slog.NewTextHandler(&log, nil))
	n := start(t, o, model("demo", endpoint("demo:demo-api", "demo", "")))
	for i, f := range []struct{ method, path, reason string }{
		{http.MethodPost, "/v1/chat/completions", "No API key provided"},
		{http.MethodGet, "/v1/models", "No API key provided"},
		{http.MethodGet, "/v1/chat/completions", "takes POST only"},
		{http.MethodPost, "/v1/" + strings.Repeat("x", 4000), "No such path"},
	} {
		id := "refused-" + string(rune('a'+i))
		n.do(f.method, f.path, ping, "X-Request-Id", id)
		line := ""
		for text := range strings.Lines(log.String()) {
			if strings.Contains(text, "request_id="+id+" ") {
				line = text
			}
		}
		if !strings.Contains(line, "client_ip=127.0.0.1 ") || !strings.Contains(line, f.reason) || len(line) > 600 {
			t.Errorf("%s %.40s: log line %q", f.method, f.path, line)
		}
	}
	for range 100 {
		n.chat(ping, "Authorization", "Bearer hyi-wrong")
	}
	if got := strings.Count(log.String(), "request refused"); got < 60 || got > 120 { // a minute may have ended
		t.Errorf("%d lines of 104 refused requests, want 60 a minute", got)
	}
	before := strings.Count(log.String(), "\n")
	if n.chat(ping, "Authorization", "Bearer hyi-good"); strings.Count(log.String(), "\n") != before {
		t.Errorf("a request that has a row is logged, too: %s", log.String())
	}
}
