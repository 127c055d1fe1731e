package gateway_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// At the debug level the log says by request id where a request could go, what
// each attempt came to, and how it ended.
func TestDebugLog(t *testing.T) {
	up := server(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"message":"busy"}}`, http.StatusServiceUnavailable)
	})
	broken, demo := endpoint("demo:broken", "openai_compat", up), endpoint("demo:demo-api", "demo", "")
	demo.Weight = 1e-9
	for level, want := range map[slog.Level][]string{
		slog.LevelInfo: nil,
		slog.LevelDebug: {
			`msg=request request_id=ID api=chat model=demo stream=false planned="[demo:broken demo:demo-api]"`,
			"msg=attempt request_id=ID n=1 endpoint=demo:broken status=503 fault=overloaded ms=",
			`msg=attempt request_id=ID n=2 endpoint=demo:demo-api status=200 fault="" ms=`,
			"msg=answered request_id=ID status=200 end=complete finish_reason=stop latency_ms=",
		},
	} {
		var log logtest.Buffer
		o := guarded(map[string]wire.Key{"hyi-good": {ID: "k"}})
		o.gateway.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
		n := start(t, o, model("demo", broken, demo))
		n.chat(ping, "Authorization", "Bearer hyi-good")
		id := n.event(0).RequestID
		if n.stop(); want == nil && strings.Contains(log.String(), id) {
			t.Errorf("%v: %s", level, log.String())
		}
		for _, line := range want {
			if line = strings.ReplaceAll(line, "ID", id); !strings.Contains(log.String(), line) {
				t.Errorf("%v: no line %q in\n%s", level, line, log.String())
			}
		}
	}
}

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
