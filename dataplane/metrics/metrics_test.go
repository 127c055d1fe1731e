package metrics_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/shared/wire"
)

func used() *wire.Usage {
	return &wire.Usage{
		Stream: true, LatencyMS: 1500, FirstTokenMS: 250, PromptTokens: 100, CompletionTokens: 50, ReasoningTokens: 20, CacheReadTokens: 10,
		Attempts: []wire.Attempt{{Endpoint: "m:a", Kind: "overloaded"}, {Endpoint: "m:a", Kind: "overloaded"}, {Endpoint: "m:b"}},
	}
}

// answer counts one request as the gateway does.
func answer(m *metrics.Model, e *metrics.Endpoint, s metrics.Surface, u *wire.Usage, g *metrics.Gaps) {
	m.Answered(s, 200)
	e.Attempted("")
	m.Used(u, 2_500_000_000)
	m.Gaps(g)
}

func TestWhatIsCounted(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	q := metrics.NewRequests(r, "")
	m, e := q.Model("m"), q.Endpoint("m", "m:b", "Acme")
	var g metrics.Gaps
	g.Add(20 * time.Millisecond)
	g.Add(time.Minute)
	answer(m, e, q.Surface("chat"), used(), &g)
	e.Attempted("overloaded")
	e.Attempted("no such kind")
	m.Answered(q.Surface("responses"), 700)
	q.Unknown().Answered(q.Surface("chat"), 401)
	q.Refused("rate_limit_exceeded", "rpm", "key")
	const want = `
# HELP gateway_cost_usd_total Cost of requests in US dollars, by the configured prices.
# TYPE gateway_cost_usd_total counter
gateway_cost_usd_total{model="m"} 0.0025
# HELP gateway_failovers_total Attempts at another endpoint than the one before.
# TYPE gateway_failovers_total counter
gateway_failovers_total{model="m"} 1
# HELP gateway_inter_chunk_seconds Time between two chunks of a streamed answer that had content.
# TYPE gateway_inter_chunk_seconds histogram
gateway_inter_chunk_seconds_bucket{model="m",le="0.01"} 0
gateway_inter_chunk_seconds_bucket{model="m",le="0.025"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="0.05"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="0.1"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="0.25"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="1"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="5"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="30"} 1
gateway_inter_chunk_seconds_bucket{model="m",le="+Inf"} 2
gateway_inter_chunk_seconds_sum{model="m"} 60.02
gateway_inter_chunk_seconds_count{model="m"} 2
# HELP gateway_limit_refusals_total Requests refused by a limit, by its name and whose it is.
# TYPE gateway_limit_refusals_total counter
gateway_limit_refusals_total{holder="key",limit="rpm"} 1
# HELP gateway_refusals_total Requests refused by the gateway itself, by error type.
# TYPE gateway_refusals_total counter
gateway_refusals_total{reason="rate_limit_exceeded"} 1
# HELP gateway_requests_total Requests by model, client language and class of the status that the client got; no model if none was found.
# TYPE gateway_requests_total counter
gateway_requests_total{model="",status="4xx",surface="chat"} 1
gateway_requests_total{model="m",status="2xx",surface="chat"} 1
gateway_requests_total{model="m",status="other",surface="responses"} 1
# HELP gateway_retries_total Attempts after a request's first.
# TYPE gateway_retries_total counter
gateway_retries_total{model="m"} 2
# HELP gateway_tokens_total Tokens by kind: cached and cache_write are part of prompt, reasoning of completion.
# TYPE gateway_tokens_total counter
gateway_tokens_total{kind="cached",model="m"} 10
gateway_tokens_total{kind="completion",model="m"} 50
gateway_tokens_total{kind="prompt",model="m"} 100
gateway_tokens_total{kind="reasoning",model="m"} 20
# HELP gateway_upstream_attempts_total Attempts at upstreams by result: ok or the kind of fault.
# TYPE gateway_upstream_attempts_total counter
gateway_upstream_attempts_total{endpoint="m:b",model="m",provider="Acme",result="ok"} 1
gateway_upstream_attempts_total{endpoint="m:b",model="m",provider="Acme",result="overloaded"} 1
`
	names := []string{
		"gateway_cost_usd_total", "gateway_failovers_total", "gateway_inter_chunk_seconds", "gateway_limit_refusals_total", "gateway_refusals_total",
		"gateway_requests_total", "gateway_retries_total", "gateway_tokens_total", "gateway_upstream_attempts_total",
	}
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(r); err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v %v", problems, err)
	}
}

// Series of what the release does not have any more go away.
func TestKeep(t *testing.T) {
	r := prometheus.NewRegistry()
	q := metrics.NewRequests(r, "")
	var g metrics.Gaps
	g.Add(time.Second)
	chat := q.Surface("chat")
	for _, id := range []string{"a", "b"} {
		answer(q.Model(id), q.Endpoint(id, id+":x", "Acme"), chat, used(), &g)
	}
	q.Keep(map[*metrics.Model]bool{q.Model("a"): true}, map[*metrics.Endpoint]bool{q.Endpoint("a", "a:x", "Acme"): true})
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(families); !strings.Contains(text, `"a"`) || strings.Contains(text, `"b"`) {
		t.Error(text)
	}
	answer(q.Model("b"), q.Endpoint("b", "b:x", "Acme"), chat, used(), &g)
	if n, err := testutil.GatherAndCount(r, "gateway_requests_total"); err != nil || n != 2 {
		t.Errorf("%d series after b came back, %v", n, err)
	}
}

// Counting a request allocates nothing once its series are made.
func TestCountingAllocatesNothing(t *testing.T) {
	q := metrics.NewRequests(prometheus.NewRegistry(), "")
	m, e, u, chat := q.Model("m"), q.Endpoint("m", "m:b", "Acme"), used(), q.Surface("chat")
	var g metrics.Gaps
	if n := testing.AllocsPerRun(1000, func() {
		g.Add(20 * time.Millisecond)
		answer(m, e, chat, u, &g)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A large release, all of whose series are in use.
func large() *prometheus.Registry {
	r := prometheus.NewRegistry()
	q := metrics.NewRequests(r, "node-1")
	var g metrics.Gaps
	g.Add(20 * time.Millisecond)
	for i := range 1000 {
		id := fmt.Sprintf("vendor-%d/model-of-the-usual-length-%d", i%20, i)
		m := q.Model(id)
		for j := range 5 {
			answer(m, q.Endpoint(id, fmt.Sprintf("%s:%d", id, j), fmt.Sprintf("Provider %d", j)), q.Surface("chat"), used(), &g)
		}
	}
	return r
}

func scrape(tb testing.TB, r *prometheus.Registry) []byte {
	tb.Helper()
	families, err := r.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	enc := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			tb.Fatal(err)
		}
	}
	return out.Bytes()
}

func TestALargeReleaseIsScrapedInAFewMegabytes(t *testing.T) {
	if n := len(scrape(t, large())); n > 10<<20 {
		t.Errorf("%d bytes", n)
	}
}

func BenchmarkCount(b *testing.B) {
	q := metrics.NewRequests(prometheus.NewRegistry(), "")
	m, e, u, chat := q.Model("m"), q.Endpoint("m", "m:b", "Acme"), used(), q.Surface("chat")
	u.Attempts = u.Attempts[2:]
	var g metrics.Gaps
	b.ReportAllocs()
	for b.Loop() {
		answer(m, e, chat, u, &g)
	}
}

func BenchmarkGap(b *testing.B) {
	var g metrics.Gaps
	b.ReportAllocs()
	for b.Loop() {
		g.Add(20 * time.Millisecond)
	}
}

func BenchmarkScrape(b *testing.B) {
	r := large()
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(scrape(b, r))), "bytes/scrape")
	}
}
