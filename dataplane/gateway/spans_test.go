package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/tracing"
	"github.com/hybridinference/gateway/shared/tracing/tracingtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// traced starts tracing towards a receiver.
func traced(t *testing.T, sampler string) (*tracing.Tracing, *tracingtest.Receiver) {
	t.Helper()
	r := tracingtest.HTTP(t, nil)
	out, err := tracing.Start(t.Context(), &tracing.Settings{
		Endpoint: r.URL, Protocol: "http/protobuf", Exporter: "otlp", Sampler: sampler, Timeout: 10_000, Queue: 2048, Batch: 512, Delay: 10, Export: 30_000,
	}, tracing.Process{Service: "gateway-dataplane", Version: "v1", Instance: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Stop(t.Context()) })
	return out, r
}

// upstreams answers with an error first, then with text, and keeps the traceparents.
func upstreams(t *testing.T) (failing, answering string, parents func() []string) {
	var mu sync.Mutex
	var seen []string
	note := func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		seen = append(seen, r.Header.Get("Traceparent"))
	}
	failing = server(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		w.WriteHeader(500)
		_, _ = io.WriteString(w, `{"error":{"message":"about your marzipan"}}`)
	})
	answering = server(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		_, _ = io.WriteString(w, `{"id":"up-1","choices":[{"message":{"role":"assistant","content":"more marzipan"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`)
	})
	return failing, answering, func() []string { mu.Lock(); defer mu.Unlock(); return append([]string(nil), seen...) }
}

func TestSpans(t *testing.T) {
	out, r := traced(t, "parentbased_always_on")
	failing, answering, parents := upstreams(t)
	first, second := endpoint("m:bad", "openai", failing), endpoint("m:good", "vllm", answering)
	first.Weight, second.Weight = 1e6, 1e-6
	n := start(t, nodeOptions{
		gateway: gateway.Options{Auth: true, KeySecret: secret.New(keySecret), Tracing: out, Content: true},
		keys:    keyTable(map[string]wire.Key{"hyi-good": {ID: "k_1", User: "ada"}}),
	}, model("m", first, second))
	const id, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	body := `{"model":"m","messages":[{"role":"user","content":"marzipan"}],"max_tokens":64,"temperature":0.5}`
	n.chat(body, "Traceparent", "00-"+id+"-"+parent+"-01") // without a key: no span
	got := n.chat(body, "Authorization", "Bearer hyi-good", "Traceparent", "00-"+id+"-"+parent+"-01", "Tracestate", "vendor=1", "X-Request-Id", "mine")
	if got.StatusCode != 200 {
		t.Fatal(got.body)
	}
	request := r.Wait("POST /v1/chat/completions", 1)[0]
	bad, good := r.Wait("chat up-m:bad", 1)[0], r.Wait("chat up-m:good", 1)[0]
	checkSpan(t, request, trace.Span_SPAN_KIND_SERVER, id, parent, map[string]string{
		"http.response.status_code": "200", "gateway.request_id": "mine", "gateway.generation_id": got.Header.Get("X-Generation-Id"), "gateway.key.id": "k_1", "gateway.user.id": "ada",
		"gateway.model": "m", "gateway.attempts": "2", "gateway.outcome": "complete", "http.route": "/v1/chat/completions", "client.address": "127.0.0.1",
	})
	checkSpan(t, bad, trace.Span_SPAN_KIND_CLIENT, id, request.ID, map[string]string{
		"error.type": "unavailable", "http.response.status_code": "500", "gen_ai.provider.name": "openai", "gateway.endpoint": "m:bad", "gen_ai.usage.input_tokens": "",
	})
	checkSpan(t, good, trace.Span_SPAN_KIND_CLIENT, id, request.ID, map[string]string{
		"error.type": "", "gen_ai.operation.name": "chat", "gen_ai.provider.name": "vllm", "gen_ai.request.model": "up-m:good", "gen_ai.request.max_tokens": "64", "gen_ai.request.temperature": "0.5",
		"gen_ai.response.id": "up-1", "gen_ai.usage.input_tokens": "7", "gen_ai.usage.output_tokens": "3",
	})
	if request.GetTraceState() != "vendor=1" || request.Schema != "https://opentelemetry.io/schemas/1.41.0" {
		t.Errorf("tracestate %q, schema %q", request.GetTraceState(), request.Schema)
	}
	if seen := parents(); len(seen) != 2 || seen[0] != "00-"+id+"-"+bad.ID+"-01" || seen[1] != "00-"+id+"-"+good.ID+"-01" {
		t.Errorf("upstreams got %q, want the spans %s and %s", seen, bad.ID, good.ID)
	}
	if bad.GetStartTimeUnixNano() < request.GetStartTimeUnixNano() || good.GetStartTimeUnixNano() < bad.GetEndTimeUnixNano() || request.GetEndTimeUnixNano() < good.GetEndTimeUnixNano() {
		t.Errorf("the times are not in order: %v %v %v", request.Span, bad.Span, good.Span)
	}
	if e := n.event(0); e.TraceID != id || e.SpanID != request.ID {
		t.Errorf("the event says %s %s", e.TraceID, e.SpanID)
	}
	for _, s := range r.Spans() {
		if text := protojson.Format(s.Span); strings.Contains(text, "marzipan") {
			t.Errorf("a span has what was said: %s", text)
		}
	}
	if n := len(r.Spans()); n != 3 {
		t.Errorf("%d spans, want 3", n)
	}
}

func checkSpan(t *testing.T, s tracingtest.Span, kind trace.Span_SpanKind, id, parent string, attributes map[string]string) {
	t.Helper()
	if s.Trace != id || s.Parent != parent || s.GetKind() != kind {
		t.Errorf("%s: trace %s, parent %s, kind %s; want %s, %s, %s", s.GetName(), s.Trace, s.Parent, s.GetKind(), id, parent, kind)
	}
	for name, want := range attributes {
		if got := s.Attributes[name]; got != want {
			t.Errorf("%s: %s is %q, want %q", s.GetName(), name, got, want)
		}
	}
}

// A request that is not sampled has a trace all the same, which upstreams and the
// log get, and no span.
func TestUnsampledRequests(t *testing.T) {
	out, r := traced(t, "parentbased_always_off")
	_, answering, parents := upstreams(t)
	n := start(t, nodeOptions{gateway: gateway.Options{Tracing: out}}, model("m", endpoint("m:good", "vllm", answering)))
	n.chat(ping)
	e := n.event(0)
	if seen := parents(); len(e.TraceID) != 32 || e.SpanID != "" || len(seen) != 1 || !strings.HasPrefix(seen[0], "00-"+e.TraceID+"-") || !strings.HasSuffix(seen[0], "-00") {
		t.Errorf("trace %q, span %q, the upstream got %q", e.TraceID, e.SpanID, seen)
	}
	out.Stop(t.Context())
	if spans := r.Spans(); len(spans) != 0 {
		t.Errorf("%d spans", len(spans))
	}
}
