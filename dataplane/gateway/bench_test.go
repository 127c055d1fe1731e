package gateway_test

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// BenchmarkRequest is one small request through a whole node, over loopback,
// client and upstream included: what the node itself costs is told apart by
// scripts/bench, allocations by comparing runs.
func BenchmarkRequest(b *testing.B) {
	answer := []byte(`{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("word ", 40) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":40,"total_tokens":70}}`)
	up := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBody(answer) }}
	ln := listen(b)
	go func() { _ = up.Serve(ln) }()
	b.Cleanup(func() { _ = up.Shutdown() })

	builder := snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }}
	var current atomic.Pointer[snapshot.Snapshot]
	s, err := builder.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{model("m", endpoint("m:a", "vllm", "http://"+ln.Addr().String()), endpoint("m:b", "vllm", "http://"+ln.Addr().String()))}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	current.Store(s)
	log := slog.New(slog.DiscardHandler)
	m := meter.New(meter.DefaultLimit, nil, log)
	gw, err := gateway.New(gateway.Options{Addr: "127.0.0.1:0", Log: log, KeySecret: secret.New("x")}, &current, m)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = gw.Run(ctx) }()
	go func() { _ = m.Run(ctx, 0, func(context.Context, meter.Batch) error { return nil }) }()

	client := &fasthttp.HostClient{Addr: gw.Addr()}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI("http://" + gw.Addr() + "/v1/chat/completions")
	req.Header.SetMethod("POST")
	req.Header.Set("User-Agent", "OpenAI/JS 6.1.0")
	req.SetBodyString(`{"model":"m","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"Ping"}],"max_tokens":64,"temperature":0.2}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Do(req, resp); err != nil || resp.StatusCode() != 200 {
			b.Fatal(err, string(resp.Body()))
		}
	}
}

func listen(b *testing.B) net.Listener {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return ln
}
