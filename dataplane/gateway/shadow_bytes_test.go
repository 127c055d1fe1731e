package gateway_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// question is a request, with the answer to it of a node without shadows.
type question struct{ path, body, want string }

// questions are requests in all languages, streamed and not, good and bad.
func questions() (list []*question) {
	add := func(path, body string) { list = append(list, &question{path: path, body: body}) }
	for _, stream := range []string{"", `,"stream":true`} {
		for _, text := range []string{"Hello", strings.Repeat("long ", 1000)} {
			add("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"`+text+`"}]`+stream+`}`)
			add("/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"`+text+`"}]`+stream+`}`)
			add("/v1/responses", `{"model":"m","input":"`+text+`"`+stream+`}`)
			add("/v1/completions", `{"model":"m","prompt":"`+text+`"`+stream+`}`)
			add("/v1/chat/completions", `{"model":"m","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"`+text+`"}]`+stream+`}`)
		}
		add("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"refuse this"}]`+stream+`}`)
		add("/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"break off"}]`+stream+`}`)
	}
	add("/v1/embeddings", `{"model":"v","input":"Hello"}`)
	add("/v1/chat/completions", `{"model":"m","messages":"none"}`)
	add("/v1/chat/completions", `{"model":"m","messages":[`)
	return list
}

// ask sends a question and returns all of the answer but what is its own.
func ask(t *testing.T, client *fasthttp.HostClient, q *question) string {
	t.Helper()
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer func() { fasthttp.ReleaseRequest(req); fasthttp.ReleaseResponse(resp) }()
	req.SetRequestURI("http://" + client.Addr + q.path)
	req.Header.SetMethod("POST")
	req.SetBodyString(q.body)
	if err := client.Do(req, resp); err != nil {
		t.Errorf("%s %.60s: %v", q.path, q.body, err)
	}
	id := strings.TrimPrefix(string(resp.Header.Peek("X-Generation-Id")), "gen-")
	second, _, _ := strings.Cut(id, "-")
	var head []string
	for name, value := range resp.Header.All() {
		switch string(name) {
		case "Date", "X-Request-Id", "X-Generation-Id":
		default:
			head = append(head, string(name)+": "+string(value))
		}
	}
	slices.Sort(head)
	own := strings.NewReplacer(id, "ID", second, "SECOND", string(resp.Header.Peek("X-Request-Id")), "REQUEST")
	const completed = `"completed_at":`
	parts := strings.Split(string(resp.Body()), completed) // which may be the next second
	for i := range parts[1:] {
		parts[i+1] = strings.TrimLeft(parts[i+1], "0123456789")
	}
	return fmt.Sprintln(resp.StatusCode(), head) + own.Replace(strings.Join(parts, completed))
}

// silence is a log that no one reads.
type silence struct{}

func (silence) Printf(string, ...any) {}

// quick is an upstream that costs little.
func quick(t *testing.T, handler fasthttp.RequestHandler) string {
	t.Helper()
	up := &fasthttp.Server{Handler: handler, Logger: silence{}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = up.Serve(ln) }()        // it ends with the test
	t.Cleanup(func() { _ = up.Shutdown() }) // what hangs has been broken off
	return "http://" + ln.Addr().String()
}

// stubborn is an upstream that does everything wrong, in turn.
func stubborn(t *testing.T, calls *atomic.Int64) string {
	t.Helper()
	return quick(t, func(ctx *fasthttp.RequestCtx) {
		switch n := calls.Add(1); {
		case n%5 == 0:
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {}) // a reset
		case n%5 == 1:
			ctx.Error("no", fasthttp.StatusInternalServerError)
		case n%5 == 2:
			ctx.SetBodyString("data: nonsense\n\n")
		case n%97 == 3:
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }) // silence
		case n%5 == 3:
			ctx.SetBodyString(`data: {"choices":[{"index":0,"delta":{"content":"half`)
		default:
			ctx.SetBodyString(`{"choices":[{"index":0,"message":{"content":"another answer"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":900,"total_tokens":901}}`)
		}
	})
}

// sensible is an upstream that gives each request the same answer every time.
func sensible(t *testing.T) string {
	t.Helper()
	return quick(t, func(ctx *fasthttp.RequestCtx) {
		body, is := ctx.PostBody(), func(part string) bool { return bytes.Contains(ctx.PostBody(), []byte(part)) }
		switch {
		case bytes.HasSuffix(ctx.Path(), []byte("/embeddings")):
			ctx.SetBodyString(`{"data":[{"index":0,"embedding":[0.5,1]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
		case is("refuse this"):
			ctx.Error(`{"error":{"message":"refused"}}`, fasthttp.StatusBadRequest)
		case is(`"stream":true`) && is("break off"):
			ctx.SetBodyString(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"{\"words\":"}}]}` + "\n\n")
		case is(`"stream":true`):
			ctx.SetBodyString(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"` + strconv.Itoa(len(body)) + `"}}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"content":"}","tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}` +
				"\n\ndata: [DONE]\n\n")
		default:
			ctx.SetBodyString(`{"id":"c","choices":[{"index":0,"text":"{}","message":{"content":"{}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`)
		}
	})
}

// Ten thousand answers of a node whose shadows misbehave are, byte by byte, those
// of a node without any.
func TestShadowsChangeNoAnswer(t *testing.T) {
	var calls atomic.Int64
	up, bad := sensible(t), stubborn(t, &calls)
	client := func(shadow bool) (*node, *fasthttp.HostClient) {
		m, v := model("m", endpoint("m:a", "vllm", up)), model("v", endpoint("v:a", "vllm", up))
		v.Type = "embedding"
		if shadow {
			m.Endpoints = append(m.Endpoints, shadowed("m:b", "vllm", bad, 0.1), shadowed("m:c", "anthropic", bad, 0.1))
			v.Endpoints = append(v.Endpoints, shadowed("v:b", "vllm", bad, 0.1))
		}
		closed := upstream.BreakerSettings{Threshold: 1 << 30, Alpha: 0.1}
		n := start(t, nodeOptions{gateway: gateway.Options{MaxShadows: 32, Log: slog.New(slog.DiscardHandler)}, breaker: closed}, m, v)
		return n, &fasthttp.HostClient{Addr: n.gw.Addr()}
	}
	_, without := client(false)
	list := questions()
	for _, q := range list {
		q.want = ask(t, without, q)
	}
	n, with := client(true)
	requests := 10_000
	if raceDetector { // each takes five times as long
		requests = 2000
	}
	const workers = 8
	var asking sync.WaitGroup
	for w := range workers {
		asking.Go(func() {
			for i := w; i < requests && !t.Failed(); i += workers {
				q := list[i%len(list)]
				if got := ask(t, with, q); got != q.want {
					t.Errorf("%s %.80s:\n got %s\nwant %s", q.path, q.body, got, q.want)
				}
			}
		})
	}
	asking.Wait()
	if calls.Load() < 100 {
		t.Errorf("only %d shadows were sent", calls.Load())
	}
	if got := n.gw.Shadows(); got < 1 || got > 32 {
		t.Errorf("%d shadows hang, want some and at most 32", got)
	}
	without.CloseIdleConnections()
	with.CloseIdleConnections()
}
