package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// four is a model with four equal endpoints.
func four(t *testing.T, selection wire.Selection) wire.Model {
	t.Helper()
	m := model("m")
	for _, name := range []string{"a", "b", "c", "d"} {
		m.Endpoints = append(m.Endpoints, endpoint("m:"+name, "vllm", answering(t, name)))
	}
	m.Selection = selection
	return m
}

// In every client language a conversation stays where it began, and
// conversations are spread; so are short prompts, however alike.
func TestPromptsThatBeginAlikeKeepToOneEndpoint(t *testing.T) {
	n := start(t, nodeOptions{}, four(t, wire.Selection{}))
	long := strings.Repeat("You are a helpful assistant. ", 50)
	first := func(path, body string) string {
		t.Helper()
		e := n.gw.Explain(&wire.Question{Path: path, Body: []byte(body)})
		if len(e.Tried) != 4 || len(e.Choices) != 1 {
			t.Fatalf("%s: %+v", path, e)
		}
		if keeps := e.Choices[0].KeptBy; (keeps == wire.AffinityPrefix) != strings.Contains(body, long) || e.Choices[0].Policy != wire.PolicyWeighted {
			t.Errorf("%s: %+v", path, e.Choices[0])
		}
		return e.Tried[0].Endpoint
	}
	for path, turns := range map[string][]string{
		"chat/completions": {
			`{"model":"m","messages":[{"role":"system","content":"SYSTEM"},{"role":"user","content":"QUESTION"}]}`,
			`{"model":"m","temperature":1,"messages":[{"role":"system","content":"SYSTEM"},{"role":"user","content":"QUESTION"},{"role":"assistant","content":"A"},{"role":"user","content":"More"}]}`,
		},
		"messages": {
			`{"model":"m","max_tokens":9,"system":"SYSTEM","messages":[{"role":"user","content":"QUESTION"}]}`,
			`{"model":"m","max_tokens":9,"system":"SYSTEM","messages":[{"role":"user","content":"QUESTION"},{"role":"assistant","content":"A"},{"role":"user","content":[{"type":"text","text":"More","cache_control":{"type":"ephemeral"}}]}]}`,
		},
		"responses": {
			`{"model":"m","instructions":"SYSTEM","input":"QUESTION"}`,
			`{"model":"m","instructions":"SYSTEM","input":[{"role":"user","content":"QUESTION"},{"role":"assistant","content":"A"},{"role":"user","content":"More"}]}`,
		},
		"completions": {
			`{"model":"m","prompt":"QUESTION SYSTEM"}`,
			`{"model":"m","prompt":"QUESTION SYSTEM And so on."}`,
		},
	} {
		used := map[string]bool{}
		for i := range 24 {
			fill := strings.NewReplacer("SYSTEM", long, "QUESTION", fmt.Sprintf("Question %d", i))
			at := first(path, fill.Replace(turns[0]))
			used[at] = true
			for _, turn := range turns {
				if again := first(path, fill.Replace(turn)); again != at {
					t.Errorf("%s: a conversation went from %s to %s: %s", path, at, again, turn)
				}
			}
		}
		short := map[string]bool{}
		for range 60 {
			short[first(path, strings.NewReplacer("SYSTEM", "s", "QUESTION", "Ping").Replace(turns[0]))] = true
		}
		if len(used) < 3 || len(short) < 3 {
			t.Errorf("%s: conversations are at %v, short prompts at %v", path, used, short)
		}
	}
}

// The same requests go elsewhere when the endpoint that has them cached may take
// no more of them.
func TestLimitsComeBeforeAffinity(t *testing.T) {
	body := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("Long. ", 400) + `"}]}`
	m := four(t, wire.Selection{})
	b := startBounded(t, map[string][]wire.Limit{"k": nil}, m)
	home := content(t, b.as("k", body))
	for range 3 {
		if at := content(t, b.as("k", body)); at != home {
			t.Fatalf("it went from %s to %s", home, at)
		}
	}
	for i := range m.Endpoints {
		if m.Endpoints[i].ID == "m:"+home {
			m.Endpoints[i].RPM = 1
		}
	}
	b = startBounded(t, map[string][]wire.Limit{"k": nil}, m)
	first, second, third := content(t, b.as("k", body)), content(t, b.as("k", body)), content(t, b.as("k", body))
	if first != home || second == home || third != second {
		t.Errorf("with one request a minute at %s it went to %s, %s and %s", home, first, second, third)
	}
	if at := content(t, b.as("k", strings.Replace(body, `{`, `{"provider":{"order":["m:b"]},`, 1))); at != "b" {
		t.Errorf("the client's order is b, it went to %s", at)
	}
}

// What is measured decides, in explain and in the metadata, too.
func TestLatencyPolicyDecides(t *testing.T) {
	after := func(wait time.Duration, name string) wire.Endpoint {
		return endpoint("m:"+name, "vllm", server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(wait) // the upstream's own
			_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"content":%q},"finish_reason":"stop"}]}`, name)
		}))
	}
	m := model("m", after(60*time.Millisecond, "slow"), after(0, "fast"))
	m.Selection = wire.Selection{Policy: wire.PolicyLatency}
	n := start(t, nodeOptions{}, m)
	at := map[string]int{}
	for range 12 {
		at[content(t, n.chat(with(`"model":"m"`)))]++
	}
	if at["slow"] != 1 {
		t.Errorf("answers %v: the slow one is to be tried once", at)
	}
	e := n.gw.Explain(&wire.Question{Body: []byte(with(`"model":"m"`))})
	if e.Tried[0].Endpoint != "m:fast" || !strings.HasPrefix(e.Tried[1].Measured, "response after ") || e.Choices[0] != (wire.Choice{Model: "m", Policy: "latency", Affinity: "session"}) {
		t.Errorf("%+v", e)
	}
	if r := n.chat(with(`"model":"m","session_id":"s"`), "X-OpenRouter-Metadata", "enabled"); !strings.Contains(r.body, `, policy=latency, kept by session, selected=`) {
		t.Error(r.body)
	}
	if e := n.gw.Explain(&wire.Question{Body: []byte(with(`"model":"m","stream":true`))}); e.Tried[0].Measured != "first token not measured yet" {
		t.Errorf("%+v", e)
	}
}

// The cheapest endpoint is another for a long prompt than for a long answer.
func TestCostPolicyDecides(t *testing.T) {
	m := model("m", endpoint("m:prompts", "vllm", answering(t, "prompts")), endpoint("m:answers", "vllm", answering(t, "answers")))
	m.Endpoints[0].Pricing, m.Endpoints[1].Pricing = wire.Pricing{Prompt: "0.1", Completion: "2"}, wire.Pricing{Prompt: "1", Completion: "1"}
	m.Selection = wire.Selection{Policy: wire.PolicyCost}
	n := start(t, nodeOptions{}, m)
	long := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("Long. ", 4000) + `"}]`
	if at := content(t, n.chat(long+`}`)); at != "prompts" {
		t.Errorf("a long prompt went to %s", at)
	}
	if at := content(t, n.chat(with(`"model":"m"`))); at != "answers" {
		t.Errorf("a short prompt went to %s", at)
	}
	if at := content(t, n.chat(with(`"model":"m","provider":{"order":["m:prompts"]}`))); at != "prompts" {
		t.Errorf("the client's order is not followed: %s", at)
	}
	e := n.gw.Explain(&wire.Question{Body: []byte(with(`"model":"m","max_tokens":100`))})
	if !strings.HasPrefix(e.Tried[0].Measured, "$0.0001") {
		t.Errorf("%+v", e.Tried)
	}
}
