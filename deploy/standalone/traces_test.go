package main

import (
	"net/http"
	"testing"

	"github.com/hybridinference/gateway/shared/tracing/tracingtest"
)

// TestTraces follows a request through all roles of the one process.
func TestTraces(t *testing.T) {
	r := tracingtest.HTTP(t, nil)
	g := startGateway(t, "models: [{id: m, provider: demo}]", "", "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_SERVICE_NAME=mine", "OTEL_BSP_SCHEDULE_DELAY=10")
	g.do(http.MethodPost, chatPath, `{"model":"m",`+user+`}`)
	commit := r.Wait("commit usage", 1)[0]
	for _, name := range []string{"POST /v1/chat/completions", "chat m", "publish usage"} {
		if s := r.Wait(name, 1)[0]; s.Trace != commit.Trace || s.Resource["service.name"] != "mine" {
			t.Errorf("%s: trace %s of %s, want %s", name, s.Trace, s.Resource["service.name"], commit.Trace)
		}
	}
}
