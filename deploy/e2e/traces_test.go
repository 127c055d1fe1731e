package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/tracing/tracingtest"
)

// TestTraces follows a request through a node and a collector by its trace, whose
// spans go to receivers over HTTP and over gRPC, and finds it by every id that its
// client has seen. A node whose receiver is away answers all the same.
func TestTraces(t *testing.T) {
	t.Parallel()
	f := newFleet(t, `
models:
  - id: m
    pricing: {prompt: 1, completion: 1}
    route:
      - {id: gone, kind: vllm, base_url: "http://127.0.0.1:1/v1", weight: 1000000}
      - {id: here, kind: vllm, base_url: "`+answering(t)+`", weight: 0.000001}
`)
	overHTTP, overGRPC := tracingtest.HTTP(t, nil), tracingtest.GRPC(t, nil)
	f.startDaemon()
	common := f.common
	f.common = append(common, "OTEL_EXPORTER_OTLP_ENDPOINT="+overGRPC.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_BSP_SCHEDULE_DELAY=50")
	f.startCollector()
	f.common = append(common, "OTEL_EXPORTER_OTLP_ENDPOINT="+overHTTP.URL, "OTEL_BSP_SCHEDULE_DELAY=50")
	node := f.startNode("node-a")
	key := f.key(node)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	status, body, err := fetch(t.Context(), http.MethodPost, node.url+"/v1/responses", `{"model":"m","input":"Ping"}`, "Authorization", "Bearer "+key,
		"Traceparent", "00-"+id+"-00f067aa0ba902b7-01", "X-Request-ID", "seen-by-the-client")
	if err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v: %s", status, err, body)
	}
	request := overHTTP.Wait("POST /v1/responses", 1)[0]
	publish, commit := overHTTP.Wait("publish usage", 1)[0], overGRPC.Wait("commit usage", 1)[0]
	if request.Trace != id || request.Parent != "00f067aa0ba902b7" || request.Resource["service.name"] != "gateway-dataplane" || request.Resource["service.instance.id"] != "node-a" {
		t.Errorf("the request's span: trace %s, parent %s, %v", request.Trace, request.Parent, request.Resource)
	}
	calls := 0
	for _, s := range overHTTP.Spans() {
		if strings.HasPrefix(s.GetName(), "chat ") && s.Trace == id && s.Parent == request.ID {
			calls++
		}
	}
	if calls != 2 {
		t.Errorf("%d spans of attempts, want 2", calls)
	}
	for name, s := range map[string]tracingtest.Span{"publish": publish, "commit": commit} {
		if s.Trace != id || s.Parent != request.ID || s.Attributes["gateway.generation_id"] != request.Attributes["gateway.generation_id"] {
			t.Errorf("%s: trace %s, parent %s, %v; want below %s", name, s.Trace, s.Parent, s.Attributes, request.ID)
		}
	}
	if commit.Resource["service.name"] != "gateway-collector" || commit.Attributes["gateway.store"] != "postgres" || commit.GetEndTimeUnixNano() < request.GetEndTimeUnixNano() {
		t.Errorf("the commit's span: %v %v", commit.Resource, commit.Attributes)
	}
	generation := request.Attributes["gateway.generation_id"]
	for _, seen := range []string{id, strings.ToUpper(id), generation, "seen-by-the-client", "seen-by-the-provider", "msg_" + strings.TrimPrefix(generation, "gen-") + "_0"} {
		if out := f.ctl("logs", "show", seen); !strings.Contains(out, generation) {
			t.Errorf("logs show %s: %s", seen, out)
		}
	}
	if !strings.Contains(body, "msg_"+strings.TrimPrefix(generation, "gen-")+"_0") {
		t.Errorf("the answer has no message with the generation's id: %s", body)
	}

	f.common = append(common, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_BSP_MAX_QUEUE_SIZE=8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=8", "OTEL_BSP_EXPORT_TIMEOUT=20")
	lonely := f.startNode("node-b")
	for i := range 50 {
		if err := ask(http.DefaultClient, lonely.url, key, chatBody("m", fmt.Sprint("Ping ", i), false)); err != nil {
			t.Fatal(err)
		}
	}
	eventually.True(t, "the log says that traces are not sent", func() bool { return strings.Contains(lonely.out.String(), "traces are not sent") })
	if n := strings.Count(lonely.out.String(), "traces are not sent"); n > 2 { // a minute may have passed
		t.Errorf("%d lines about traces", n)
	}
	if err := lonely.stop(20 * time.Second); err != nil {
		t.Error(err)
	}
}
