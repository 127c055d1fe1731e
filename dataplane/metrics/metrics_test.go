package metrics_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/shared/exposition"
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
	r := exposition.NewRegistry()
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
	r := exposition.NewRegistry()
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
	q := metrics.NewRequests(exposition.NewRegistry(), "")
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
func large() *exposition.Registry {
	r := exposition.NewRegistry()
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

// scrape answers a scrape in text, by a reused buffer.
func scrape(tb testing.TB, r *exposition.Registry, out *answered, accept string) {
	tb.Helper()
	out.Reset()
	req := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/metrics", nil)
	req.Header.Set("Accept", accept)
	r.ServeHTTP(out, req)
	if out.status != 0 {
		tb.Fatalf("status %d: %s", out.status, out.Bytes())
	}
}

// answered keeps an answer.
type answered struct {
	bytes.Buffer
	header http.Header
	status int
}

func (a *answered) Header() http.Header { return a.header }

func (a *answered) WriteHeader(status int) { a.status = status }

const openMetrics = "application/openmetrics-text;version=1.0.0"

// A large release is scraped in a few megabytes, and objects are not made of its
// series: their number does not matter.
func TestALargeReleaseIsScrapedCheaply(t *testing.T) {
	r := large()
	for _, accept := range []string{"text/plain", openMetrics} {
		out := &answered{header: http.Header{}}
		scrape(t, r, out, accept)
		if n := out.Len(); n > 10<<20 || n < 4<<20 {
			t.Errorf("%s: %d bytes", accept, n)
		}
		if n := testing.AllocsPerRun(3, func() { scrape(t, r, out, accept) }); n > 300 {
			t.Errorf("%s: %v allocations", accept, n)
		}
	}
}

// What is written as text is what messages say, and both text formats parse.
func TestTextSaysWhatMessagesSay(t *testing.T) {
	r := exposition.NewRegistry()
	q := metrics.NewRequests(r, `a "node"`)
	q.ByTeam(r)
	var g metrics.Gaps
	g.Add(20 * time.Millisecond)
	g.Add(time.Minute)
	for _, id := range []string{"plain", "with \"quotes\" and \\ and\nlines", "überraschend"} {
		answer(q.Model(id), q.Endpoint(id, id+":x", "Acme"), q.Surface("chat"), used(), &g)
		q.Team(id).Answered(200)
		q.Team(id).Used(used(), 1)
	}
	q.Refused("rate_limit_exceeded", "rpm", "key")
	gathered, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for accept, encode := range map[string]func(io.Writer, *dto.MetricFamily) (int, error){"text/plain": expfmt.MetricFamilyToText, openMetrics: asOpenMetrics} {
		var want bytes.Buffer
		for _, f := range gathered {
			if _, err := encode(&want, f); err != nil {
				t.Fatal(err)
			}
		}
		out := &answered{header: http.Header{}}
		scrape(t, r, out, accept)
		body, ended := strings.CutSuffix(out.String(), "# EOF\n")
		if got, want := lines(body), lines(want.String()); ended != (accept == openMetrics) || !slices.Equal(got, want) {
			t.Errorf("%s\n%s\nas messages\n%s", accept, strings.Join(got, ""), strings.Join(want, ""))
		}
	}
	out := &answered{header: http.Header{}}
	scrape(t, r, out, "text/plain")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if parsed, err := parser.TextToMetricFamilies(out); err != nil || len(parsed) != len(gathered) {
		t.Errorf("%d families of %d, %v", len(parsed), len(gathered), err)
	}
}

func asOpenMetrics(w io.Writer, f *dto.MetricFamily) (int, error) {
	return expfmt.MetricFamilyToOpenMetrics(w, f)
}

// lines are those of a text in order, with labels in order and integers without ".0".
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(regexp.MustCompile(`(?m)( [0-9]+)\.0$`).ReplaceAllString(text, "$1")) {
		if name, rest, ok := strings.Cut(line, "{"); ok {
			end := strings.LastIndexByte(rest, '}')
			line = name + fmt.Sprint(slices.Sorted(slices.Values(regexp.MustCompile(`\w+="(?:[^"\\]|\\.)*"`).FindAllString(rest[:end], -1)))) + rest[end:]
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

// A scraper that asks for messages gets native histograms.
func TestMessagesHaveNativeHistograms(t *testing.T) {
	r := large()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if h := f.GetMetric()[0].GetHistogram(); f.GetName() == "gateway_request_duration_seconds" &&
			(len(f.GetMetric()) != 1000 || h.GetSampleCount() != 5 || len(h.GetPositiveSpan()) != 1 || len(h.GetBucket()) != 10 || h.GetBucket()[4].GetCumulativeCount() != 5) {
			t.Errorf("%d series, %v", len(f.GetMetric()), h)
		}
	}
}

func BenchmarkCount(b *testing.B) {
	q := metrics.NewRequests(exposition.NewRegistry(), "")
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
	for name, accept := range map[string]string{"text": "text/plain", "openmetrics": openMetrics} {
		b.Run(name, func(b *testing.B) {
			out := &answered{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				scrape(b, r, out, accept)
			}
			b.ReportMetric(float64(out.Len()), "bytes/scrape")
		})
	}
	b.Run("gzip", func(b *testing.B) {
		out := &answered{header: http.Header{}}
		req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/metrics", nil)
		req.Header.Set("Accept", openMetrics)
		req.Header.Set("Accept-Encoding", "gzip")
		b.ReportAllocs()
		for b.Loop() {
			out.Reset()
			r.ServeHTTP(out, req)
		}
		b.ReportMetric(float64(out.Len()), "bytes/scrape")
	})
	b.Run("messages", func(b *testing.B) {
		out := &answered{header: http.Header{}}
		b.ReportAllocs()
		for b.Loop() {
			scrape(b, r, out, "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
		}
		b.ReportMetric(float64(out.Len()), "bytes/scrape")
	})
}
