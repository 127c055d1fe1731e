package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/wire"
)

// shadowed is an endpoint that gets copies of that share of a model's requests.
func shadowed(id, kind, url string, share float64) wire.Endpoint {
	e := endpoint(id, kind, url)
	e.Weight, e.Shadow, e.Pricing = 0, share, wire.Pricing{Prompt: "1", Completion: "1"}
	return e
}

// eventsBySide waits for usage events, and tells those of clients' requests from
// those of shadows, by the id of the request.
func (n *node) eventsBySide(count int) (mains, shadows map[string]*wire.Usage) {
	n.t.Helper()
	n.event(count - 1)
	mains, shadows = map[string]*wire.Usage{}, map[string]*wire.Usage{}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, u := range n.events {
		if u.Shadow {
			shadows[u.ShadowOf] = u
		} else {
			mains[u.RequestID] = u
		}
	}
	return mains, shadows
}

// scripted is a server of a comparison that gives the same answers to all; what it was asked is in asked.
func scripted(t *testing.T, kind string) (url string, asked chan string) {
	t.Helper()
	asked = make(chan string, 1000)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked <- r.URL.Path + " " + string(body)
		text := string(body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/embeddings"):
			write(w, `{"data":[{"index":0,"embedding":[0.5,1]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
		case kind == "anthropic" && strings.Contains(text, `"stream":true`):
			write(w, `event: message_start`+"\n"+`data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[],"usage":{"input_tokens":10,"output_tokens":1}}}`+"\n\n"+
				`data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`+"\n\n"+`data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"not JSON"}}`+"\n\n"+
				`data: {"type":"content_block_stop","index":0}`+"\n\n"+`data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20}}`+"\n\n"+`data: {"type":"message_stop"}`+"\n\n")
		case kind == "anthropic":
			write(w, `{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"not JSON"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":20}}`)
		case strings.Contains(text, `"stream":true`):
			write(w, `data: {"id":"c","choices":[{"index":0,"delta":{"content":"{\"a\":"}}]}`+"\n\n"+`data: {"choices":[{"index":0,"delta":{"content":"1}"}}]}`+"\n\n"+
				`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`+"\n\ndata: [DONE]\n\n")
		default:
			write(w, `{"id":"c","choices":[{"index":0,"text":"{\"a\":1}","message":{"content":"{\"a\":1}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`)
		}
	}), asked
}

// Every client language gets its shadow, translated as any request would be.
func TestShadowsInEveryLanguage(t *testing.T) {
	mainURL, _ := scripted(t, "vllm")
	shadowURL, asked := scripted(t, "anthropic")
	vectors := model("v", endpoint("v:a", "vllm", mainURL), shadowed("v:new", "vllm", shadowURL, 1))
	vectors.Type = "embedding"
	o := guarded(map[string]wire.Key{"hyi-a": {ID: "k_1", Role: "user", User: "ada", Team: "t_1"}})
	o.gateway.MaxShadows, o.keys.Teams = 10, []wire.Team{{ID: "t_1", Name: "search"}}
	n := start(t, o, model("m", endpoint("m:a", "vllm", mainURL), shadowed("m:new", "anthropic", shadowURL, 1)), vectors)
	count := 0
	f := func(path, body, api, upstreamPath, jsonMain string) {
		t.Helper()
		r := n.do("POST", path, body, "Authorization", "Bearer hyi-a", "X-Title", "an app")
		if r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", path, r.StatusCode, r.body)
		}
		if got := <-asked; !strings.HasPrefix(got, upstreamPath+" ") || !strings.Contains(got, "Hello") {
			t.Errorf("%s: the shadow was asked %s", path, got)
		}
		count += 2
		mains, shadows := n.eventsBySide(count)
		id := r.Header.Get("X-Generation-Id")
		u, s := mains[id], shadows[id]
		if u == nil || s == nil {
			t.Fatalf("%s: request %+v, shadow %+v", path, u, s)
		}
		if u.API != api || s.API != api || u.Stream != s.Stream || s.RequestedModel != u.RequestedModel || s.RequestID == id || s.HTTPRequestID != "" || u.ShadowOf != "" {
			t.Errorf("%s:\n%+v\n%+v", path, u, s)
		}
		if s.KeyID != "k_1" || s.UserID != "ada" || s.TeamID != "t_1" || s.AppTitle != "an app" || s.Status != 200 || s.End != wire.EndComplete || !strings.HasSuffix(s.Endpoint, ":new") {
			t.Errorf("%s: shadow %+v", path, s)
		}
		if want := map[bool]string{true: "0.000004", false: "0.00003"}[api == "embeddings"]; s.CostUSD != want {
			t.Errorf("%s: the shadow costs %s, want %s", path, s.CostUSD, want)
		}
		if u.JSONOutput != jsonMain || (s.JSONOutput == "") != (jsonMain == "") || jsonMain != "" && s.JSONOutput != wire.JSONInvalid {
			t.Errorf("%s: JSON %q, of the shadow %q", path, u.JSONOutput, s.JSONOutput)
		}
	}
	const hello = `"messages":[{"role":"user","content":"Hello"}],"max_tokens":50`
	const schema = `{"type":"json_schema","schema":{"type":"object"}}`
	for _, stream := range []string{"", `,"stream":true`} {
		f("/v1/chat/completions", `{"model":"m",`+hello+stream+`}`, "chat", "/v1/messages", "")
		f("/v1/chat/completions", `{"model":"m","response_format":{"type":"json_object"},`+hello+stream+`}`, "chat", "/v1/messages", "valid")
		f("/v1/messages", `{"model":"m","output_config":{"format":`+schema+`},`+hello+stream+`}`, "messages", "/v1/messages", "valid")
		f("/v1/responses", `{"model":"m","input":"Hello","text":{"format":{"type":"json_schema","name":"x","schema":{"type":"object"}}}`+stream+`}`, "responses", "/v1/messages", "valid")
		f("/v1/completions", `{"model":"m","prompt":"Hello"`+stream+`}`, "completions", "/v1/messages", "")
	}
	f("/v1/embeddings", `{"model":"v","input":"Hello"}`, "embeddings", "/v1/embeddings", "")
	// What shadows cost is no one's.
	mains, _ := n.eventsBySide(count)
	spent := 0.0
	for _, u := range mains {
		var cost float64
		if _, err := fmt.Sscan(u.CostUSD, &cost); err != nil {
			t.Fatal(err)
		}
		spent += cost
	}
	key := decode[struct{ Data struct{ Usage float64 } }](t, n.do("GET", "/v1/key", "", "Authorization", "Bearer hyi-a"), 200)
	if d := key.Data.Usage - spent; d > 1e-12 || d < -1e-12 {
		t.Errorf("the key has spent %v, its requests %v", key.Data.Usage, spent)
	}
}

// A shadow that hangs, fails or does not exist is no client's concern.
func TestBadShadowsHarmNobody(t *testing.T) {
	url := answering(t, "hello")
	hanging, arrived, open := gate(t)
	defer open()
	n := start(t, nodeOptions{gateway: gateway.Options{MaxShadows: 100}}, model("m", endpoint("m:a", "vllm", url),
		shadowed("m:hangs", "vllm", hanging, 1), shadowed("m:fails", "vllm", refuses(t, 500, "no"), 1), shadowed("m:gone", "vllm", "http://127.0.0.1:1", 1)))
	began := time.Now()
	if r := n.chat(ping); r.StatusCode != 200 || !strings.Contains(r.body, "hello") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	<-arrived
	n.event(2) // of the request, and of two shadows
	byEndpoint := map[string]*wire.Usage{}
	n.mu.Lock()
	for _, u := range n.events {
		byEndpoint[u.Endpoint] = u
	}
	n.mu.Unlock()
	for id, status := range map[string]int{"m:a": 200, "m:fails": 500, "m:gone": 502} {
		if u := byEndpoint[id]; u == nil || u.Shadow != (id != "m:a") || u.Status != status && u.Status != 503 && u.Status != 502 {
			t.Errorf("%s: %+v", id, u)
		}
	}
	// A stop does not wait for the one that hangs, which has its event all the same.
	began = time.Now()
	n.stop()
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("the node stopped after %s", took)
	}
	if u := n.event(3); u.Endpoint != "m:hangs" || u.End != wire.EndClientGone || !u.Shadow {
		t.Errorf("%+v", u)
	}
}

// counted waits until a drop of shadows was counted that often.
func counted(t *testing.T, r *exposition.Registry, endpoint, reason string, n int) {
	t.Helper()
	want := fmt.Sprintf(`
# HELP gateway_shadow_dropped_total Copies of requests that were not sent, by reason: in_flight, memory, load, draining or endpoint, which has no room to spare.
# TYPE gateway_shadow_dropped_total counter
gateway_shadow_dropped_total{endpoint=%q,model="m",provider="VLLM",reason=%q} %d
`, endpoint, reason, n)
	eventually.Nil(t, eventually.Limit, "drops are counted", func() error {
		return testutil.GatherAndCompare(r, strings.NewReader(want), "gateway_shadow_dropped_total")
	})
}

func TestShadowsAreBounded(t *testing.T) {
	f := func(name string, o gateway.Options, e wire.Endpoint, reason string, sent int) {
		t.Run(name, func(t *testing.T) {
			url, arrived, open := gate(t)
			defer open()
			r := exposition.NewRegistry()
			o.Metrics = metrics.NewRequests(r, "")
			e.BaseURL = url
			n := start(t, nodeOptions{gateway: o}, model("m", endpoint("m:a", "vllm", answering(t, "hello")), e))
			for range 10 {
				if r := n.chat(ping); r.StatusCode != 200 {
					t.Fatalf("%d %s", r.StatusCode, r.body)
				}
			}
			counted(t, r, e.ID, reason, 10-sent)
			for range sent {
				<-arrived
			}
			if e.MaxConcurrency > 1 { // the last place is left
				done := make(chan reply, 1)
				go func() { done <- n.chat(ping, "X-Route-Pin", "m:new") }()
				<-arrived
				open()
				if r := <-done; r.StatusCode != 200 {
					t.Errorf("a client's request: %d %s", r.StatusCode, r.body)
				}
			}
			if n := len(arrived); n > 0 {
				t.Errorf("%d more shadows were sent", n)
			}
		})
	}
	one := shadowed("m:new", "vllm", "", 1)
	f("by node", gateway.Options{MaxShadows: 3}, one, "in_flight", 3)
	f("off", gateway.Options{}, one, "in_flight", 0)
	f("under load", gateway.Options{MaxShadows: 100, MaxInFlight: 1}, one, "load", 0)
	full, single := one, one
	full.MaxConcurrency, single.MaxConcurrency = 4, 1
	f("by endpoint", gateway.Options{MaxShadows: 100}, full, "endpoint", 3)
	f("by endpoint of one place", gateway.Options{MaxShadows: 100}, single, "endpoint", 1)
}

// An endpoint whose breaker is open, or whose provider allows no more, gets none.
func TestShadowsKeepToLimits(t *testing.T) {
	var calls atomic.Int64
	count := func(status int) string {
		return server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			calls.Add(1)
			w.WriteHeader(status)
			write(w, `{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
		})
	}
	broken, limited := shadowed("m:broken", "vllm", count(500), 1), shadowed("n:limited", "vllm", count(200), 1)
	limited.RPM = 4
	bounded := startBounded(t, map[string][]wire.Limit{"k": {{Kind: wire.LimitRPM, Value: 20}}}, model("n", endpoint("n:a", "vllm", answering(t, "hello")), limited))
	for _, c := range []struct {
		n    *node
		name string
		most int64
	}{
		{bounded.node, "n", 4},
		{start(t, nodeOptions{gateway: gateway.Options{MaxShadows: 100}, breaker: upstream.DefaultBreaker()}, model("m", endpoint("m:a", "vllm", answering(t, "hello")), broken)), "m", 3},
	} {
		calls.Store(0)
		for range 20 {
			if r := c.n.chat(with(`"model":"`+c.name+`"`), "Authorization", "Bearer k"); r.StatusCode != 200 {
				t.Fatalf("%s: %d %s", c.name, r.StatusCode, r.body)
			}
			eventually.True(t, "no shadow is under way", func() bool { return c.n.gw.Shadows() == 0 })
		}
		if got := calls.Load(); got < 1 || got > c.most {
			t.Errorf("%s: %d shadows were sent, want at most %d", c.name, got, c.most)
		}
	}
	if r := bounded.chat(with(`"model":"n"`), "Authorization", "Bearer k"); r.StatusCode != 429 { // 20 requests of a client were 20
		t.Errorf("beyond the key's limit: %d %s", r.StatusCode, r.body)
	}
}

// What a client does not allow its requests, it does not allow their copies.
func TestShadowsKeepToPreferences(t *testing.T) {
	url, asked := scripted(t, "vllm")
	e := shadowed("m:new", "openai_compat", url, 1)
	e.ZDR, e.NoCollection = false, false
	n := start(t, nodeOptions{gateway: gateway.Options{MaxShadows: 10}}, model("m", endpoint("m:a", "vllm", answering(t, "hello")), e))
	for _, preferences := range []string{`{"zdr":true}`, `{"data_collection":"deny"}`, `{"ignore":["m:new"]}`, `{"only":["vllm"]}`} {
		if r := n.chat(with(`"provider":` + preferences)); r.StatusCode != 200 {
			t.Errorf("%s: %d %s", preferences, r.StatusCode, r.body)
		}
	}
	n.chat(with(`"user":"last"`))
	if got := <-asked; !strings.Contains(got, "last") || len(asked) > 0 {
		t.Errorf("the shadow was asked %s, and %d more", got, len(asked))
	}
}

// A shadow is sent once the answer has begun, also to a client that leaves then,
// and not for an answer that never begins.
func TestShadowsBeginWithTheAnswer(t *testing.T) {
	begun, more := make(chan struct{}), make(chan struct{})
	endOnce := sync.OnceFunc(func() { close(more) })
	defer endOnce()
	slow := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-begun
		write(w, `data: {"choices":[{"index":0,"delta":{"content":"one"}}]}`+"\n\n")
		w.(http.Flusher).Flush() //nolint:errcheck,forcetypeassert // it is one
		<-more
	})
	url, asked := scripted(t, "vllm")
	n := start(t, nodeOptions{gateway: gateway.Options{MaxShadows: 10, KeepAlive: 20 * time.Millisecond}}, model("m", endpoint("m:a", "vllm", slow), shadowed("m:new", "vllm", url, 1)),
		model("none", endpoint("none:a", "vllm", refuses(t, 400, `{"error":{"message":"no"}}`)), shadowed("none:new", "vllm", url, 1)))
	n.chat(with(`"model":"none"`))
	resp, err := http.Post(n.url+"/v1/chat/completions", "application/json", strings.NewReader(with(`"model":"m","stream":true`)))
	if err != nil {
		t.Fatal(err)
	}
	next := lines(t, resp.Body)
	for line := range next { // keep-alive comments are no answer
		if strings.HasPrefix(line, ":") && n.gw.Shadows() == 0 {
			break
		}
		t.Fatalf("%q with %d shadows", line, n.gw.Shadows())
	}
	close(begun)
	if got := <-asked; !strings.Contains(got, `"stream":true`) {
		t.Errorf("asked %s", got)
	}
	if err := resp.Body.Close(); err != nil { // the client leaves
		t.Fatal(err)
	}
	_, shadows := n.eventsBySide(3)
	if len(shadows) != 1 || len(asked) > 0 {
		t.Errorf("shadows %+v, %d more", shadows, len(asked))
	}
}
