package trace_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/shared/tracing"
)

const (
	id     = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent = "00-" + id + "-00f067aa0ba902b7-01"
)

func TestAnUpstreamIsAChild(t *testing.T) {
	c := trace.Parse([]byte(parent), []byte("vendor=1"))
	if string(c.ID()) != id {
		t.Errorf("id %s", c.ID())
	}
	seen := map[string]bool{}
	for range 100 {
		got := c.Append(nil, c.NewSpan())
		if len(got) != 2 || got[0].Name != "traceparent" || got[1].Name != "tracestate" || got[1].Value != "vendor=1" {
			t.Fatalf("%+v", got)
		}
		if !regexp.MustCompile(`^00-`+id+`-[0-9a-f]{16}-01$`).MatchString(got[0].Value) || got[0].Value == parent || seen[got[0].Value] {
			t.Errorf("traceparent %s", got[0].Value)
		}
		seen[got[0].Value] = true
	}
	if got := trace.Parse([]byte(parent), []byte(strings.Repeat("x", 513))).Append(nil, tracing.NewSpanID()); len(got) != 1 {
		t.Errorf("a tracestate of 513 bytes: %+v", got)
	}
	// A later version is continued as 00.
	if got := trace.Parse([]byte("cc"+parent[2:]+"-what-the-future-has"), nil).Append(nil, tracing.NewSpanID()); len(got) != 1 || !strings.HasPrefix(got[0].Value, "00-"+id) || len(got[0].Value) != len(parent) {
		t.Errorf("a later version: %+v", got)
	}
}

func TestWhatIsNoTrace(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "short": parent[:54], "long": parent + "-x", "version": "ff" + parent[2:], "capitals": strings.ToUpper(parent), "no hex": strings.Replace(parent, "4bf", "4bg", 1),
		"no trace": "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", "no parent": "00-" + id + "-" + strings.Repeat("0", 16) + "-01",
		"separators": strings.ReplaceAll(parent, "-", "_"), "a later version that runs on": "cc" + parent[2:] + "x",
	} {
		c := trace.Parse([]byte(text), []byte("vendor=1"))
		if got := c.Append(nil, c.NewSpan()); got != nil || c.ID() != nil {
			t.Errorf("%s: %+v %s", name, got, c.ID())
		}
	}
	var memory trace.Memory
	if n := testing.AllocsPerRun(100, func() {
		c := trace.Begin(nil, &memory, nil, nil)
		c.Append(nil, c.NewSpan())
	}); n != 0 {
		t.Errorf("a request without a trace costs %v allocations", n)
	}
}

func start(t testing.TB, sampler string) *tracing.Tracing {
	t.Helper()
	out, err := tracing.Start(t.Context(), &tracing.Settings{
		Endpoint: "http://127.0.0.1:1", Protocol: "http/protobuf", Exporter: "otlp", Sampler: sampler, Timeout: 1000, Queue: 2048, Batch: 512, Delay: 5000, Export: 1000,
	}, tracing.Process{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A request that is not sampled costs no memory, whether a client began its trace or not.
func TestUnsampledRequestsAllocate(t *testing.T) {
	out := start(t, "parentbased_always_off")
	var memory trace.Memory
	begin := func(parent string) func() {
		text := []byte(parent)
		return func() {
			if c := trace.Begin(out, &memory, text, nil); c.Spans() != nil || len(c.ID()) != 32 {
				t.Error("it is sampled, or has no trace")
			}
		}
	}
	if n := testing.AllocsPerRun(100, begin("")); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, begin(parent[:len(parent)-1]+"0")); n > 3 {
		t.Errorf("%v allocations with a traceparent, at most 3 are expected", n)
	}
}

// BenchmarkBegin is what tracing adds to a request: nothing where it is off.
func BenchmarkBegin(b *testing.B) {
	var memory trace.Memory
	for name, sampler := range map[string]string{"off": "", "unsampled": "parentbased_always_off"} {
		for _, sent := range []string{"", parent[:len(parent)-1] + "0"} {
			b.Run(fmt.Sprintf("%s/traceparent=%t", name, sent != ""), func(b *testing.B) {
				var out *tracing.Tracing
				if sampler != "" {
					out = start(b, sampler)
				}
				text := []byte(sent)
				b.ReportAllocs()
				for b.Loop() {
					c := trace.Begin(out, &memory, text, nil)
					_ = c.NewSpan()
				}
			})
		}
	}
}
