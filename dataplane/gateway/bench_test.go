package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
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

// benchNode is a node under load, over loopback, with a client and an upstream in the
// same process: what the node itself costs is told apart by scripts/bench,
// allocations by comparing runs.
type benchNode struct {
	tb     testing.TB
	addr   string
	answer atomic.Pointer[[]byte] // of the upstream, to everything
	client fasthttp.HostClient
	req    fasthttp.Request
	resp   fasthttp.Response
}

const benchKey = "hyi-bench"

// newBenchNode starts a node with models m0, m1, ... at two endpoints of a kind each,
// and a number of keys.
func newBenchNode(tb testing.TB, kind string, models, keys int) *benchNode {
	tb.Helper()
	n := &benchNode{tb: tb}
	up := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) { ctx.Response.SetBodyRaw(*n.answer.Load()) }}
	ln := listen(tb)
	go func() { _ = up.Serve(ln) }()
	tb.Cleanup(func() { _ = up.Shutdown() })

	var current atomic.Pointer[snapshot.Snapshot]
	builder := snapshot.Builder{Senders: upstream.NewSenders(time.Second), Secret: func(string) (string, bool) { return "", false }}
	s, err := builder.Build(benchRelease(kind, "http://"+ln.Addr().String(), models), benchKeys(keys))
	if err != nil {
		tb.Fatal(err)
	}
	current.Store(s)
	log := slog.New(slog.DiscardHandler)
	m := meter.New(meter.DefaultLimit, nil, log)
	gw, err := gateway.New(gateway.Options{Addr: "127.0.0.1:0", Log: log, Auth: true, KeySecret: secret.New(keySecret)}, &current, m)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	tb.Cleanup(cancel)
	go func() { _ = gw.Run(ctx) }()
	go func() { _ = m.Run(ctx, 0, func(context.Context, meter.Batch) error { return nil }) }()
	n.addr, n.client.Addr = gw.Addr(), gw.Addr()
	return n
}

func benchRelease(kind, url string, models int) *wire.Release {
	r := &wire.Release{Epoch: 1, Number: 1}
	for i := range models {
		id := fmt.Sprintf("m%d", i)
		r.Snapshot.Models = append(r.Snapshot.Models, model(id, endpoint(id+":a", kind, url), endpoint(id+":b", kind, url)))
	}
	return r
}

func benchKeys(n int) *wire.KeyTable {
	t := keyTable(map[string]wire.Key{benchKey: {ID: "k", User: "u"}})
	for i := range n - 1 {
		t.Keys = append(t.Keys, wire.Key{ID: fmt.Sprintf("k%d", i), User: fmt.Sprintf("u%d", i%1000), Hash: fmt.Sprintf("%064x", i)})
	}
	return t
}

// ask sets what the node is asked from now on, and what its upstream answers.
func (n *benchNode) ask(path, body, answer string) {
	text := []byte(answer)
	n.answer.Store(&text)
	n.req.SetRequestURI("http://" + n.addr + path)
	n.req.Header.SetMethod("POST")
	n.req.Header.Set("Authorization", "Bearer "+benchKey)
	n.req.Header.Set("User-Agent", "OpenAI/JS 6.1.0")
	n.req.SetBodyString(body)
}

// once sends the request. Its answer has at least so many bytes.
func (n *benchNode) once(least int) {
	if err := n.client.Do(&n.req, &n.resp); err != nil || n.resp.StatusCode() != 200 || len(n.resp.Body()) < least {
		n.tb.Fatal(err, n.resp.StatusCode(), len(n.resp.Body()), string(n.resp.Body()[:min(500, len(n.resp.Body()))]))
	}
}

const (
	benchRequest = `{"model":"m0","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"Ping"}],"max_tokens":64,"temperature":0.2}`
	benchPath    = "/v1/chat/completions"
)

func benchAnswer() string {
	return `{"id":"c1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("word ", 40) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":40,"total_tokens":70}}`
}

// stream is a stream in a client's language, from an endpoint of a kind.
type streamCase struct {
	name, kind, path, body string
	answer                 func(chunks int) string
}

func chatChunks(chunks int) string {
	return strings.Repeat(`data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}]}`+"\n\n", chunks) +
		`data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2000}}` + "\n\ndata: [DONE]\n\n"
}

func claudeChunks(chunks int) string {
	return `data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}` + "\n\n" +
		`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}` + "\n\n" +
		strings.Repeat("event: content_block_delta\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`+"\n\n", chunks) +
		`data: {"type":"content_block_stop","index":0}` + "\n\n" + `data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2000}}` + "\n\n" + `data: {"type":"message_stop"}` + "\n\n"
}

func geminiChunks(chunks int) string {
	return strings.Repeat(`data: {"candidates":[{"content":{"parts":[{"text":" word"}],"role":"model"},"index":0}],"modelVersion":"up","responseId":"r1"}`+"\n\n", chunks) +
		`data: {"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2000,"totalTokenCount":2003},"modelVersion":"up","responseId":"r1"}` + "\n\n"
}

func streamCases() []streamCase {
	const (
		chat      = `{"model":"m0","stream":true,"messages":[{"role":"user","content":"Ping"}]}`
		messages  = `{"model":"m0","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"Ping"}]}`
		responses = `{"model":"m0","stream":true,"input":"Ping"}`
	)
	return []streamCase{
		{"chat", "vllm", benchPath, chat, chatChunks},
		{"responses", "vllm", "/v1/responses", responses, chatChunks},
		{"messages", "vllm", "/v1/messages", messages, chatChunks},
		{"messages from Anthropic", "anthropic", "/v1/messages", messages, claudeChunks},
		{"chat from Anthropic", "anthropic", benchPath, chat, claudeChunks},
		{"chat from Gemini", "gemini", benchPath, chat, geminiChunks},
	}
}

// BenchmarkRequest is one small request.
func BenchmarkRequest(b *testing.B) {
	n := newBenchNode(b, "vllm", 1, 1)
	n.ask(benchPath, benchRequest, benchAnswer())
	b.ReportAllocs()
	for b.Loop() {
		n.once(300)
	}
}

// BenchmarkScale is a small request to a node that knows much.
func BenchmarkScale(b *testing.B) {
	for _, size := range []struct{ models, keys int }{{5, 5}, {5000, 100_000}} {
		b.Run(fmt.Sprintf("models=%d/keys=%d", size.models, size.keys), func(b *testing.B) {
			n := newBenchNode(b, "vllm", size.models, size.keys)
			n.ask(benchPath, benchRequest, benchAnswer())
			b.ReportAllocs()
			for b.Loop() {
				n.once(300)
			}
		})
	}
}

// BenchmarkStream is a stream of many chunks through a node: what the other client
// languages and kinds of endpoints cost beside chat from one that speaks it.
func BenchmarkStream(b *testing.B) {
	const chunks = 2000
	for _, c := range streamCases() {
		b.Run(c.name, func(b *testing.B) {
			n := newBenchNode(b, c.kind, 1, 1)
			n.ask(c.path, c.body, c.answer(chunks))
			b.ReportAllocs()
			before := processTime(b)
			for b.Loop() {
				n.once(chunks * 60)
			}
			b.ReportMetric(float64(processTime(b)-before)/float64(b.N)/chunks, "cpu-ns/chunk")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/chunks, "ns/chunk")
		})
	}
}

// processTime is the CPU time of this process, which says more than the clock's on a
// machine that does other work, too.
func processTime(tb testing.TB) time.Duration {
	tb.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return ln
}
