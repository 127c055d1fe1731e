package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestAQuestionIsAnsweredByTheRealPlan(t *testing.T) {
	broken := endpoint("m:broken", "vllm", "http://127.0.0.1:1")
	broken.Weight = 1e12
	missing := endpoint("m:keyless", "vllm", "http://127.0.0.1:1")
	missing.Secrets = []string{"UNSET_KEY"}
	held := endpoint("m:held", "vllm", "http://127.0.0.1:1")
	held.Reset(0.5, true)
	m := threeWays(t)
	m.Endpoints = append(m.Endpoints, broken, missing, held)
	other := model("other", endpoint("other:a", "vllm", answering(t, "other")))
	pro := model("secret", endpoint("secret:a", "vllm", answering(t, "secret")))
	pro.RequiredRole = "pro"
	keys := &wire.KeyTable{V: 1, Version: 1, Keys: []wire.Key{{ID: "k_free", Hash: strings.Repeat("ab", 32), Role: "free"}}}
	n := start(t, nodeOptions{keys: keys, breaker: upstream.DefaultBreaker()}, m, other, pro)
	for range 8 { // the heaviest endpoint opens its breaker
		n.chat(with(`"model":"m"`))
	}
	ask := func(key, path, body string) (wire.Explanation, []string, map[string]string) {
		t.Helper()
		e := n.gw.Explain(&wire.Question{KeyID: key, Path: path, Body: []byte(body)})
		var tried []string
		for _, c := range e.Tried {
			tried = append(tried, c.Endpoint)
		}
		left := map[string]string{}
		for _, c := range e.Left {
			left[c.Endpoint] = c.Reason
		}
		return e, tried, left
	}
	before := n.gw.Requests()
	e, tried, left := ask("", "chat/completions", with(`"model":"m","models":["other"],"provider":{"ignore":["m:cheap"]}`))
	if e.Status != 0 || e.Node != "test" || e.Release != 7 || !slices.Equal(e.Models, []string{"m", "other"}) || !slices.Equal(tried, []string{"m:main", "m:spare", "other:a"}) {
		t.Errorf("%+v", e)
	}
	for endpoint, want := range map[string]string{
		"m:cheap": "excluded by provider.ignore", "m:broken": "open: ", "m:keyless": "UNSET_KEY is not set", "m:held": "disabled by an operator", "m:parked": "its weight is 0",
	} {
		if !strings.HasPrefix(left[endpoint], want) {
			t.Errorf("%s is left out since %q, want %q", endpoint, left[endpoint], want)
		}
	}
	if len(left) != 5 {
		t.Errorf("left out are %v", left)
	}
	for _, f := range []struct {
		key, path, body string
		status          int
		message         string
	}{
		{"k_free", "", with(`"model":"secret"`), 400, "not a valid model"},
		{"k_none", "", with(`"model":"m"`), 401, "k_none"},
		{"", "images", `{}`, 404, "images"},
		{"", "", `{"model":`, 400, ""},
		{"", "embeddings", `{"model":"m","input":"x"}`, 400, "not a model for embeddings"},
		{"", "messages", `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}],"provider":{"only":["nobody"]}}`, 404, "provider.only"},
	} {
		if e, _, _ := ask(f.key, f.path, f.body); e.Status != f.status || !strings.Contains(e.Message, f.message) || len(e.Tried) != 0 {
			t.Errorf("%s %s %s: %+v, want %d %q", f.key, f.path, f.body, e, f.status, f.message)
		}
	}
	if e, tried, _ := ask("k_free", "completions", `{"model":"other","prompt":"x"}`); e.Status != 0 || len(tried) != 1 {
		t.Errorf("%+v", e)
	}
	if after := n.gw.Requests(); after != before || n.gw.InFlight() != 0 {
		t.Errorf("%d requests were counted, %d are in flight", after-before, n.gw.InFlight())
	}
}
