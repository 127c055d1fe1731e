package route_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// catalog is a model with endpoints a (cheap, slow, our own, fp8), b (dear,
// fast, hosted, fp8 as well) and c (free of charge per token, costs by the
// request, takes no tools).
func catalog(t *testing.T, id string) *snapshot.Model {
	t.Helper()
	costs := func(prompt, completion, request string) *price.List {
		list, err := price.New(wire.Pricing{Prompt: prompt, Completion: completion, Request: request})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	all := chat.SetOf(chat.Temperature, chat.Tools, chat.ToolChoice, chat.Seed)
	end := func(name, provider string, weight float64) *snapshot.Endpoint {
		return &snapshot.Endpoint{
			Endpoint: &wire.Endpoint{ID: id + ":" + name, Provider: provider, Weight: weight}, Slugs: []string{strings.ToLower(provider), name, id + ":" + name},
			State: upstream.NewState(upstream.DefaultBreaker()), Takes: all, Quantization: "fp8",
		}
	}
	a, b, c := end("a", "Local", 1), end("b", "Hosted", 8), end("c", "Hosted", 1)
	a.Price, a.ZDR, a.NoCollection = costs("0.1", "0.2", "0"), true, true
	b.Price = costs("0.3", "0.9", "0")
	c.Price, c.Quantization, c.Takes = costs("0", "0", "0.000005"), "int4", chat.SetOf(chat.Temperature)
	return &snapshot.Model{Model: &wire.Model{ID: id}, Endpoints: []*snapshot.Endpoint{a, b, c}, Uneven: chat.SetOf(chat.Tools, chat.ToolChoice)}
}

func plan(t *testing.T, raw string, sent chat.ParamSet, targets ...route.Target) *route.Plan {
	t.Helper()
	pref, err := route.ParsePreferences([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := &route.Plan{}
	p.Prefer(&route.Constraints{Preferences: *pref, Sent: sent, Now: time.Now()}, targets)
	return p
}

func ids(p *route.Plan) string {
	var out []string
	for _, c := range p.Candidates() {
		out = append(out, strings.TrimPrefix(c.Endpoint.ID, "m:"))
	}
	return strings.Join(out, " ")
}

func TestPreferencesDecide(t *testing.T) {
	m := catalog(t, "m")
	f := func(raw string, sent chat.ParamSet, want ...string) {
		t.Helper()
		seen := map[string]bool{}
		for range 200 {
			seen[ids(plan(t, raw, sent, route.Target{Model: m}))] = true
		}
		for _, w := range want {
			if !seen[w] {
				t.Errorf("%s: %q never came, but %v", raw, w, seen)
			}
			delete(seen, w)
		}
		if len(seen) > 0 {
			t.Errorf("%s: not expected: %v", raw, seen)
		}
	}
	f(`{}`, 0, "a b c", "b a c", "c a b")
	f(`{"order":["c","local"]}`, 0, "c a b")
	f(`{"order":["hosted"]}`, 0, "b c a", "c b a")
	f(`{"order":["nobody"]}`, 0, "a b c", "b a c", "c a b")
	f(`{"order":["m:c","a"],"allow_fallbacks":false}`, 0, "c a")
	f(`{"order":["nobody"],"allow_fallbacks":false}`, 0, "")
	f(`{"allow_fallbacks":false}`, 0, "a", "b", "c")
	f(`{"only":["hosted"]}`, 0, "b c", "c b")
	f(`{"only":["hosted"],"ignore":["b"]}`, 0, "c")
	f(`{"only":[],"ignore":[],"order":[],"quantizations":[]}`, 0, "a b c", "b a c", "c a b")
	f(`{"ignore":["hosted","local"]}`, 0, "")
	f(`{"quantizations":["int4"]}`, 0, "c")
	f(`{"quantizations":["fp4"]}`, 0, "")
	f(`{"sort":"price"}`, 0, "c a b")
	f(`{"sort":"price","order":["b"]}`, 0, "b c a")
	f(`{"sort":"price","allow_fallbacks":false}`, 0, "c")
	f(`{"max_price":{"prompt":"0.1"}}`, 0, "a c", "c a")
	f(`{"max_price":{"completion":0.2,"request":0}}`, 0, "a")
	f(`{"max_price":{"prompt":0.099999}}`, 0, "c")
	f(`{"zdr":true}`, 0, "a")
	f(`{"data_collection":"deny"}`, 0, "a")
	f(`{"enforce_distillable_text":true}`, 0, "")
	f(`{"require_parameters":true}`, chat.SetOf(chat.Temperature, chat.Seed, chat.User), "a b", "b a")
	f(`{"require_parameters":true}`, chat.SetOf(chat.TopK), "")
	f(`{}`, chat.SetOf(chat.Tools), "a b c", "b a c")         // c is last: it takes no tools
	f(`{}`, chat.SetOf(chat.Seed), "a b c", "b a c", "c a b") // a lost seed is no reason
}

func TestWhatLeftNothingIsTold(t *testing.T) {
	p := plan(t, `{"only":["hosted"],"max_price":{"prompt":0,"request":0}}`, 0, route.Target{Model: catalog(t, "m")})
	if got := strings.Join(p.Excluded.Names(), " "); got != "only max_price" || p.Considered != 3 || len(p.Candidates()) != 0 {
		t.Errorf("excluded by %q of %d, %q left", got, p.Considered, ids(p))
	}
}

// measure makes b fast and a slow; nothing is known of c.
func measure(m *snapshot.Model) {
	now := time.Now()
	m.Endpoints[0].State.Stats.Answered(now, upstream.Measure{FirstToken: 2 * time.Second, Total: 10 * time.Second, Tokens: 100})
	m.Endpoints[1].State.Stats.Answered(now, upstream.Measure{FirstToken: 100 * time.Millisecond, Total: time.Second, Tokens: 100})
}

func TestMeasurementsDecide(t *testing.T) {
	m := catalog(t, "m")
	measure(m)
	f := func(raw, want string) {
		t.Helper()
		if got := ids(plan(t, raw, 0, route.Target{Model: m})); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	f(`{"sort":"latency"}`, "c b a") // c is tried, to become known
	f(`{"sort":"throughput"}`, "c b a")
	m.Endpoints[2].State.Stats.Answered(time.Now(), upstream.Measure{FirstToken: time.Second, Total: 20 * time.Second, Tokens: 100})
	f(`{"sort":"latency"}`, "b c a")
	f(`{"sort":"throughput"}`, "b a c")
	f(`{"sort":{"by":"price"},"preferred_max_latency":1.5}`, "c b a")
	f(`{"sort":"price","preferred_max_latency":0.5}`, "b c a")
	f(`{"sort":"price","preferred_min_throughput":{"p50":8}}`, "a b c")
	f(`{"sort":"price","preferred_min_throughput":{"p90":8},"preferred_max_latency":{"p99":0.5}}`, "b c a")
	m.Endpoints[1].State.Stats.Failed(time.Now())
	f(`{"sort":"exacto"}`, "a c b")
}

func TestSeveralModels(t *testing.T) {
	m, o := catalog(t, "m"), catalog(t, "o")
	cheap, err := price.New(wire.Pricing{Prompt: "0.00001", Completion: "0.2"})
	if err != nil {
		t.Fatal(err)
	}
	o.Endpoints[0].Price = cheap
	f := func(raw, want string, targets ...route.Target) {
		t.Helper()
		if got := ids(plan(t, raw, 0, targets...)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
	both := []route.Target{{Model: m}, {Model: o}}
	f(`{"sort":"price"}`, "c a b o:c o:a o:b", both...)
	f(`{"sort":{"by":"price","partition":"none"}}`, "c o:c o:a a b o:b", both...)
	f(`{"sort":"price","allow_fallbacks":false}`, "c o:c", both...)
	f(`{"only":["o:b"]}`, "o:b", both...)
	f(`{"only":["b"]}`, "b o:c o:a o:b", route.Target{Model: m}, route.Target{Model: &snapshot.Model{Model: o.Model, Endpoints: rename(o)}, Sort: route.ByPrice})
	measure(m)
	// a fallback model that meets the preference is better than the model that does not
	f(`{"sort":"price","preferred_max_latency":{"p50":0.01},"ignore":["c"]}`, "o:a o:b a b", both...)
}

// rename lets every endpoint answer to "b".
func rename(m *snapshot.Model) []*snapshot.Endpoint {
	for _, e := range m.Endpoints {
		e.Slugs = append(e.Slugs, "b")
	}
	return m.Endpoints
}

func TestOpenBreakersAreLeftOutOfPreferences(t *testing.T) {
	m := catalog(t, "m")
	down := func(i int, at time.Time) { open(m.Endpoints[i], at) }
	down(2, time.Now())
	if got := ids(plan(t, `{"sort":"price"}`, 0, route.Target{Model: m})); got != "a b" {
		t.Errorf("plan %q", got)
	}
	if got := ids(plan(t, `{"only":["c"]}`, 0, route.Target{Model: m})); got != "" {
		t.Errorf("the only one that is allowed is open and gets a request: %q", got)
	}
	down(0, time.Now())
	down(1, time.Now().Add(-20*time.Second)) // comes back first
	p := plan(t, `{"sort":"price"}`, 0, route.Target{Model: m})
	if got := ids(p); got != "" || p.Waiting.Endpoint != m.Endpoints[1] {
		t.Errorf("with everything open the plan is %q, waiting for %v", got, p.Waiting.Endpoint)
	}
}

func TestPins(t *testing.T) {
	m := catalog(t, "m")
	m.Parked = []*snapshot.Endpoint{{Endpoint: &wire.Endpoint{ID: "m:p"}, Slugs: []string{"m:p", "p", "hosted"}, State: upstream.NewState(upstream.DefaultBreaker())}}
	f := func(slug, want string) {
		t.Helper()
		for range 50 {
			var p route.Plan
			if ok := p.Pin(m, slug, time.Now()); ok != (want != "") || !strings.Contains(" "+want+" ", " "+ids(&p)+" ") || len(p.Candidates()) > 1 {
				t.Fatalf("pin %s: %v %q", slug, ok, ids(&p))
			}
		}
	}
	f("m:a", "a")
	f("b", "b")
	f("hosted", "b c")
	f("p", "p")
	f("nobody", "")
}

func TestTheBestOfManyAreKept(t *testing.T) {
	m := &snapshot.Model{Model: &wire.Model{ID: "m"}}
	for i := range 40 {
		id := string(rune('A' + i))
		list, err := price.New(wire.Pricing{Prompt: strconv.Itoa(100 - i)})
		if err != nil {
			t.Fatal(err)
		}
		m.Endpoints = append(m.Endpoints, &snapshot.Endpoint{
			Endpoint: &wire.Endpoint{ID: id, Weight: 1}, Slugs: []string{id}, State: upstream.NewState(upstream.DefaultBreaker()),
			Price: list,
		})
	}
	p := plan(t, `{"sort":"price"}`, 0, route.Target{Model: m})
	if len(p.Candidates()) != route.MaxCandidates {
		t.Fatalf("%d candidates", len(p.Candidates()))
	}
	for i, c := range p.Candidates() {
		if want, got := int64(100-39+i)*1e6, c.Endpoint.Price.Now(time.Now()).Price[price.Prompt]; got != want {
			t.Errorf("candidate %d costs %d, want %d", i, got, want)
		}
	}
}

func BenchmarkPrefer(b *testing.B) {
	m := model(1, 2, 3, 4, 5)
	w := &route.Constraints{Preferences: route.Preferences{Sort: route.ByThroughput}, Now: time.Now()}
	targets := []route.Target{{Model: m}}
	var p route.Plan
	b.ReportAllocs()
	for b.Loop() {
		p.Reset()
		p.Prefer(w, targets)
	}
}
