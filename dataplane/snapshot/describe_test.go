package snapshot_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

func builder() *snapshot.Builder {
	return &snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "x", true }}
}

func compile(t *testing.T, b *snapshot.Builder, keys *wire.KeyTable, models ...wire.Model) *snapshot.Snapshot {
	t.Helper()
	s, err := b.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: models}}, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mixed() wire.Model {
	return wire.Model{
		ID: "acme/m", Name: "M", Type: "chat", Quantization: "FP8", ContextLength: 100, MaxOutputLength: 10, InputModalities: []string{"text"}, OutputModalities: []string{"text"},
		SupportsTools: true, SupportedParameters: []string{"temperature", "logit_bias", "top_k", "thinking"},
		Endpoints: []wire.Endpoint{
			{ID: "acme/m:gpu", Kind: "vllm", Provider: "vLLM", Weight: 1, BaseURL: "http://gpu"},
			{ID: "acme/m:deep-api", Kind: "openrouter", Slug: "DeepInfra", Provider: "OpenRouter", Weight: 1, BaseURL: "https://openrouter.ai/api/v1"},
			{ID: "acme/m:box", Kind: "ollama", Provider: "Old Box", Weight: 0, BaseURL: "http://box"},
		},
	}
}

func TestWhatEndpointsAreCalled(t *testing.T) {
	m := compile(t, builder(), nil, mixed()).Models[0]
	f := func(e *snapshot.Endpoint, names ...string) {
		t.Helper()
		for _, name := range names {
			if !e.Named(wire.Slug(name)) {
				t.Errorf("%s is not called %s, but %v", e.ID, name, e.Slugs)
			}
		}
		if e.Named("") || e.Named("m") || e.Named("acme/m") {
			t.Errorf("%s is called %v", e.ID, e.Slugs)
		}
	}
	f(m.Endpoints[0], "vllm", "vLLM", "vllm/fp8", "gpu", "acme/m:gpu")
	f(m.Endpoints[1], "openrouter", "OpenRouter", "openrouter/deepinfra", "DeepInfra", "deepinfra/fp8", "deep-api", "ACME/M:deep-api")
	f(m.Parked[0], "ollama", "Old Box", "old-box", "box")
	if m.Endpoints[0].Named("openrouter") || m.Endpoints[1].Named("vllm") {
		t.Error("names go across")
	}
}

func TestWhatEndpointsTakeIsWhatTheirAdaptersSend(t *testing.T) {
	m := compile(t, builder(), nil, mixed()).Models[0]
	gpu, box := m.Endpoints[0], m.Parked[0]
	f := func(e *snapshot.Endpoint, p chat.Param, want bool) {
		t.Helper()
		if e.Takes.Has(p) != want {
			t.Errorf("%s takes %s: %v", e.ID, p, !want)
		}
	}
	f(gpu, chat.LogitBias, true)
	f(gpu, chat.TopK, true)
	f(gpu, chat.Seed, false) // the model does not say so
	f(gpu, chat.Tools, true)
	f(gpu, chat.ToolChoice, true)
	f(gpu, chat.ResponseFormat, false)
	f(box, chat.LogitBias, false)
	f(box, chat.Tools, true)
	f(box, chat.ToolChoice, false)
	want := []string{"include_reasoning", "logit_bias", "max_completion_tokens", "max_tokens", "parallel_tool_calls", "reasoning", "reasoning_effort", "stop", "temperature", "tool_choice", "tools", "top_k", "top_p"}
	if !slices.Equal(gpu.Entry.Parameters, want) {
		t.Errorf("advertised %q, want %q", gpu.Entry.Parameters, want)
	}
	for _, name := range m.Entry.Parameters {
		if !slices.Contains(m.Endpoints[0].Entry.Parameters, name) || !slices.Contains(m.Endpoints[1].Entry.Parameters, name) {
			t.Errorf("%s is not taken by all", name)
		}
	}
	if !slices.IsSorted(m.Entry.Parameters) || len(m.Entry.Parameters) == 0 {
		t.Errorf("parameters %q", m.Entry.Parameters)
	}
}

// Every parameter that routing goes by is asked for, and answered somewhere.
func TestEveryRoutableParameterIsProbed(t *testing.T) {
	m := mixed()
	m.SupportsStructured = true
	m.SupportedParameters = snapshot.Routable().Names()
	m.Endpoints = append(m.Endpoints, wire.Endpoint{ID: "acme/m:o", Kind: "openai_compat", Weight: 1, BaseURL: "https://llm.test/v1", UpstreamModel: "gpt-5"})
	taken := chat.ParamSet(0)
	for _, e := range compile(t, builder(), nil, m).Models[0].Endpoints {
		taken |= e.Takes
	}
	if missing := snapshot.Routable() &^ taken; missing != 0 {
		t.Errorf("nobody takes %v", missing.Names())
	}
}

func TestModelsThatDifferAreUneven(t *testing.T) {
	m := mixed()
	m.Endpoints[2].Weight = 1
	got := compile(t, builder(), nil, m).Models[0].Uneven
	if got != chat.SetOf(chat.ToolChoice, chat.Verbosity) {
		t.Errorf("uneven in %v", got.Names())
	}
}

func TestFamiliesOfTokenizers(t *testing.T) {
	f := func(id, want string) {
		t.Helper()
		m := mixed()
		m.ID = id
		for i := range m.Endpoints {
			m.Endpoints[i].ID = fmt.Sprintf("%s:%d", id, i)
		}
		s := compile(t, builder(), nil, m)
		var got struct {
			Architecture struct{ Tokenizer string }
		}
		if err := json.Unmarshal(s.Models[0].Entry.JSON, &got); err != nil || got.Architecture.Tokenizer != want {
			t.Errorf("%s is of %s, want %s (%v)", id, got.Architecture.Tokenizer, want, err)
		}
	}
	f("qwen3-coder", "Qwen3")
	f("qwen2.5", "Qwen")
	f("llama-3.3-70b", "Llama3")
	f("claude-sonnet", "Claude")
	f("gpt-oss-120b", "GPT")
	f("mine", "Other")
}

func TestListsByRole(t *testing.T) {
	secret := mixed()
	secret.ID, secret.RequiredRole, secret.Endpoints = "secret", "internal", []wire.Endpoint{{ID: "secret:d", Kind: "demo", Weight: 1}}
	s := compile(t, builder(), nil, mixed(), secret)
	for role, want := range map[snapshot.Role]int{snapshot.RoleFree: 1, snapshot.RolePro: 1, snapshot.RoleInternal: 2, snapshot.RoleAdmin: 2} {
		if got := string(s.Catalog.List(int(role))); !strings.Contains(got, fmt.Sprintf(`"total_count":%d,`, want)) || !json.Valid(s.Catalog.List(int(role))) {
			t.Errorf("role %d gets %s", role, got)
		}
	}
	if empty, err := builder().Build(nil, nil); err != nil || string(empty.Catalog.List(0)) != `{"object":"list","data":[],"total_count":0,"links":{"next":null}}` {
		t.Errorf("without a release: %v %s", err, empty.Catalog.List(0))
	}
}

// The routes before any release are a page, too.
func TestEmptySnapshotHasPages(t *testing.T) {
	s := snapshot.Empty()
	if got := string(s.Catalog.Routing()); got != `{"release":0,"routes":{}}` {
		t.Error(got)
	}
	if got := string(s.Catalog.List(int(snapshot.RoleAdmin))); !strings.Contains(got, `"data":[]`) {
		t.Error(got)
	}
}

func TestSpendingOutlivesKeyTables(t *testing.T) {
	b := builder()
	table := &wire.KeyTable{Keys: []wire.Key{{ID: "k", Hash: strings.Repeat("ab", 32)}}}
	var sum [32]byte
	for i := range sum {
		sum[i] = 0xab
	}
	now := time.Now()
	compile(t, b, table).Keys.Find(&sum, now).Spent.Add(now, 7)
	k := compile(t, b, table).Keys.Find(&sum, now)
	if got := k.Spent.Read(now).Total; got != 7 {
		t.Errorf("spent %d", got)
	}
	compile(t, b, &wire.KeyTable{})
	if got := compile(t, b, table).Keys.Find(&sum, now).Spent.Read(now).Total; got != 0 {
		t.Errorf("a key that was gone still has %d", got)
	}
}

func TestTheDemoStandsInOnlyWhereItMay(t *testing.T) {
	demo := wire.Endpoint{ID: "m:demo-api", Kind: "demo", Provider: "Demo", Weight: 1, StandIn: true}
	hosted := wire.Endpoint{ID: "m:up", Kind: "vllm", Provider: "Up", BaseURL: "http://127.0.0.1:1", UpstreamModel: "m", Weight: 1, Secrets: []string{"UP_KEY"}}
	alone := demo
	alone.StandIn = false
	f := func(allowed, key bool, want string, endpoints ...wire.Endpoint) {
		t.Helper()
		b := snapshot.Builder{Senders: upstream.NewSenders(time.Second), StandIns: allowed, Secret: func(string) (string, bool) { return "x", key }}
		s := compile(t, &b, nil, wire.Model{ID: "m", Name: "m", Type: "chat", InputModalities: []string{"text"}, OutputModalities: []string{"text"}, Endpoints: endpoints})
		var ids []string
		for _, e := range s.Models[0].Endpoints {
			ids = append(ids, e.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("stand-ins %v, key %v: %q, want %q", allowed, key, got, want)
		}
	}
	f(true, true, "m:up", hosted, demo)
	f(true, false, "m:demo-api", hosted, demo)
	f(true, false, "m:demo-api", demo) // the others are absent from the release
	f(false, true, "m:up", hosted, demo)
	f(false, false, "", hosted, demo)
	f(false, false, "", demo)
	f(false, false, "m:demo-api", alone)
}
