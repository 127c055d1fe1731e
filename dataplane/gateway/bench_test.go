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
	gw := benchNode(b, answer, "vllm")
	client := &fasthttp.HostClient{Addr: gw}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	req.SetRequestURI("http://" + gw + "/v1/chat/completions")
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

// benchNode is a node with a model m at two endpoints of a kind, which answer
// everything in the same way. It returns the node's address.
func benchNode(b *testing.B, answer []byte, kind string) string {
	b.Helper()
	up := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBody(answer) }}
	ln := listen(b)
	go func() { _ = up.Serve(ln) }()
	b.Cleanup(func() { _ = up.Shutdown() })

	builder := snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }}
	var current atomic.Pointer[snapshot.Snapshot]
	url := "http://" + ln.Addr().String()
	s, err := builder.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{model("m", endpoint("m:a", kind, url), endpoint("m:b", kind, url))}}}, nil)
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
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	b.Cleanup(cancel)
	go func() { _ = gw.Run(ctx) }()
	go func() { _ = m.Run(ctx, 0, func(context.Context, meter.Batch) error { return nil }) }()
	return gw.Addr()
}

// BenchmarkStream is a stream of many chunks through a whole node, for each
// client language: what Responses cost beside chat, and messages that are
// passed on as they are.
func BenchmarkStream(b *testing.B) {
	const chunks = 2000
	chat := strings.Repeat(`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}`+"\n\n", chunks) +
		`data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2000}}` + "\n\ndata: [DONE]\n\n"
	claude := `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}` + "\n\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
		strings.Repeat("event: content_block_delta\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`+"\n\n", chunks) +
		`data: {"type":"content_block_stop","index":0}` + "\n\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2000}}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n"
	for _, lang := range []struct{ name, kind, answer, path, body string }{
		{"chat", "vllm", chat, "/v1/chat/completions", `{"model":"m","stream":true,"messages":[{"role":"user","content":"Ping"}]}`},
		{"responses", "vllm", chat, "/v1/responses", `{"model":"m","stream":true,"input":"Ping"}`},
		{"messages", "anthropic", claude, "/v1/messages", `{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"Ping"}]}`},
	} {
		b.Run(lang.name, func(b *testing.B) {
			gw := benchNode(b, []byte(lang.answer), lang.kind)
			client := &fasthttp.HostClient{Addr: gw}
			req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			req.SetRequestURI("http://" + gw + lang.path)
			req.Header.SetMethod("POST")
			req.SetBodyString(lang.body)
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Do(req, resp); err != nil || resp.StatusCode() != 200 || len(resp.Body()) < chunks*60 {
					b.Fatal(err, resp.StatusCode(), len(resp.Body()))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
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
