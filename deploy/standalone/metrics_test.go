package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/eventually"
)

// metrics returns what the gateway's metrics are, by their names with labels.
func (g *gatewayUnderTest) metrics() map[string]string {
	g.t.Helper()
	found := regexp.MustCompile(`msg="serving metrics" addr=(\S+)`).FindStringSubmatch(g.log.String())
	if found == nil {
		g.t.Fatal("no address of metrics in the log")
	}
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, "http://"+found[1]+"/metrics", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		g.t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if i := strings.LastIndexByte(line, ' '); strings.HasPrefix(line, "gateway_") && i > 0 {
			out[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return out
}

// All parts of the process are in its metrics, and what clients invent is not.
func TestMetrics(t *testing.T) {
	g := startGateway(t, `models:
  - {id: pong, provider: demo, pricing: {prompt: 1, completion: 1}}
  - {id: down, provider: vllm, base_url: "http://127.0.0.1:1/v1", pricing: {prompt: 0, completion: 0}}
`, "", "METRICS_ADDR=127.0.0.1:0")
	ask := func(path, model string) {
		g.do(http.MethodPost, path, `{"model":"`+model+`","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"Ping"}]}`)
	}
	const chat, anthropic = "/v1/chat/completions", "/v1/messages"
	ask(chat, "pong")
	ask(anthropic, "pong")
	ask(chat, "down")
	ask(chat, "invented")
	before := g.metrics()
	for i := range 200 {
		ask(chat, fmt.Sprintf("invented-%d", i))
	}
	got := g.metrics()
	for name := range got {
		if _, ok := before[name]; !ok {
			t.Errorf("a new series: %s", name)
		}
	}
	for name, want := range map[string]string{
		`gateway_requests_total{model="pong",node="standalone",status="2xx",surface="chat"}`:                                   "1",
		`gateway_requests_total{model="pong",node="standalone",status="2xx",surface="messages"}`:                               "1",
		`gateway_requests_total{model="down",node="standalone",status="5xx",surface="chat"}`:                                   "1",
		`gateway_requests_total{model="",node="standalone",status="4xx",surface="chat"}`:                                       "201",
		`gateway_refusals_total{node="standalone",reason="invalid_request"}`:                                                   "201",
		`gateway_time_to_first_token_seconds_count{model="pong",node="standalone"}`:                                            "2",
		`gateway_endpoint_up{endpoint="pong:demo-api",model="pong",node="standalone",provider="Demo"}`:                         "1",
		`gateway_upstream_attempts_total{endpoint="pong:demo-api",model="pong",node="standalone",provider="Demo",result="ok"}`: "2",
		`gateway_release_number{node="standalone"}`:                                                                            "1",
		`gateway_nodes{state="live"}`:                   "1",
		`gateway_requests_in_flight{node="standalone"}`: "0",
		`gateway_streams_open{node="standalone"}`:       "0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
	failed := false
	for name := range got {
		failed = failed || strings.HasPrefix(name, `gateway_upstream_attempts_total{endpoint="down:`) && strings.Contains(name, `result="unavailable"`)
	}
	if !failed {
		t.Error("no failed attempt is counted")
	}
	eventually.True(t, "all rows to be counted", func() bool {
		m := g.metrics()
		return m[`gateway_collector_rows_total{store="sqlite"}`] == "204" && m[`gateway_usage_events_stored_total{node="standalone"}`] == "204"
	})
}
