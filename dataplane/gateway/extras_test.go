package gateway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

// What an operator adds to every request of an endpoint reaches its upstream,
// secrets filled in by the node; without one of them it is out of service.
func TestExtraHeadersAndBodyReachTheUpstream(t *testing.T) {
	type request struct {
		header http.Header
		body   map[string]any
	}
	got := make(chan request, 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := request{header: r.Header}
		if err := json.NewDecoder(r.Body).Decode(&in.body); err != nil {
			t.Error(err)
		}
		got <- in
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Pong"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`)
	}))
	t.Cleanup(upstream.Close)
	m := wire.Model{
		ID: "m", Name: "m", Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		Endpoints: []wire.Endpoint{{
			ID: "m:up", Kind: "anthropic", Provider: "Up", BaseURL: upstream.URL, UpstreamModel: "m", Weight: 1,
			ExtraHeaders: map[string]string{"X-Team": "blue", "Anthropic-Version": "2099-01-01"}, SecretHeaders: map[string]string{"X-Portkey-Key": "PORTKEY"},
			ExtraBody: []byte(`{"service_tier":"auto"}`), SecretBody: map[string]string{"account": "ACCOUNT_TOKEN"},
		}},
	}
	unset := m
	unset.ID, unset.Name = "unset", "unset"
	unset.Endpoints = []wire.Endpoint{m.Endpoints[0]}
	unset.Endpoints[0].ID, unset.Endpoints[0].SecretHeaders = "unset:up", map[string]string{"X-Portkey-Key": "UNSET_KEY"}
	n := start(t, nodeOptions{}, m, unset)
	if r := n.chat(`{"model":"m","messages":[{"role":"user","content":"Ping"}]}`); r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	in := <-got
	if h := in.header; h.Get("X-Team") != "blue" || h.Get("X-Portkey-Key") != "secret-PORTKEY" || len(h.Values("Anthropic-Version")) != 1 || h.Get("Anthropic-Version") != "2099-01-01" {
		t.Errorf("headers %v", h)
	}
	if in.body["service_tier"] != "auto" || in.body["account"] != "secret-ACCOUNT_TOKEN" || in.body["messages"] == nil {
		t.Errorf("body %v", in.body)
	}
	if missing := n.current.Load().Missing; len(missing) != 1 || missing[0].Endpoint != "unset:up" || missing[0].Variable != "UNSET_KEY" {
		t.Errorf("missing %+v", missing)
	}
}
