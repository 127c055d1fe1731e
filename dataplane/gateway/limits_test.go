package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// bounded is a node whose keys have limits, all of which it may use alone.
type bounded struct {
	*node
	mu   sync.Mutex
	used map[uint64]int64
}

// startBounded starts a node with a key for each list of limits; the keys' texts
// and ids are the names.
func startBounded(t *testing.T, keys map[string][]wire.Limit, models ...wire.Model) *bounded {
	t.Helper()
	table, byCounter := map[string]wire.Key{}, map[uint64]wire.Limit{}
	for name, list := range keys {
		table[name] = wire.Key{ID: name, Role: "user", Limits: list}
		for i := range list {
			byCounter[list[i].Counter(wire.HolderKey, name)] = list[i]
		}
	}
	for i := range models {
		for j := range models[i].Endpoints {
			e := &models[i].Endpoints[j]
			for _, l := range e.Limits() {
				byCounter[l.Counter(wire.HolderEndpoint, e.ID)] = l
			}
		}
	}
	o := guarded(table)
	o.gateway.Limits, o.gateway.LimitsClock, o.gateway.MaxShadows = limits.NewRegistry(1), limits.NewClock(), 100
	b := &bounded{used: map[uint64]int64{}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var granting sync.WaitGroup
	granting.Go(func() { b.grant(ctx, o.gateway.Limits, o.gateway.LimitsClock, byCounter) })
	t.Cleanup(func() { stop(); granting.Wait() })
	b.node = start(t, o, models...)
	return b
}

// grant is the daemon of a fleet of one node.
func (b *bounded) grant(ctx context.Context, r *limits.Registry, clock limits.Clock, by map[uint64]wire.Limit) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Kick():
		case <-tick.C:
		}
		r.Turn(clock.Now())
		sent := clock.Now()
		rep := r.Report(sent, false)
		if rep == nil {
			continue
		}
		reply := &wire.LeaseReply{Epoch: 1, Seq: rep.Seq, Valid: time.Minute}
		b.mu.Lock()
		for _, u := range rep.Uses {
			l := by[u.Counter]
			b.used[u.Counter] = u.Used
			period, end := l.Period(time.Now())
			g := wire.LeaseGrant{Counter: u.Counter, Period: period, Share: l.Value, Dry: l.Value-u.Used < max(1, u.Need)}
			if !end.IsZero() {
				g.Ends = time.Until(end)
			}
			reply.Grants = append(reply.Grants, g)
		}
		b.mu.Unlock()
		r.Apply(reply, sent, clock.Now())
	}
}

// uses waits until a key's limit has this use.
func (b *bounded) uses(key string, l *wire.Limit, want int64) {
	b.t.Helper()
	var got int64
	eventually.Nil(b.t, 5*time.Second, key+"'s use of "+l.Name(), func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if got = b.used[l.Counter(wire.HolderKey, key)]; got != want {
			return fmt.Errorf("%d, want %d", got, want)
		}
		return nil
	})
}

func (b *bounded) as(key, body string) reply {
	b.t.Helper()
	return b.chat(body, "Authorization", "Bearer "+key)
}

// languagesOf are all client languages: a request, and how an error begins.
func languagesOf() map[string][2]string {
	const own = `{"error":{"code":%d,"message":"%s`
	return map[string][2]string{
		"/v1/chat/completions":   {`{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"Ping"}]}`, own},
		"/v1/completions":        {`{"model":"m","max_tokens":8,"prompt":"Ping"}`, own},
		"/v1/messages":           {`{"model":"m","max_tokens":8,"messages":[{"role":"user","content":"Ping"}]}`, `{"type":"error","error":{"type":"%[3]s","message":"%[2]s`},
		"/v1/responses":          {`{"model":"m","max_output_tokens":16,"input":"Ping"}`, own},
		"/v1/embeddings":         {`{"model":"e","input":"Ping"}`, own},
		"/v1/rerank":             {`{"model":"m","query":"q","documents":["a"]}`, own},
		"/v1/images/generations": {`{"model":"m","prompt":"a cat"}`, own},
	}
}

// answersAll is an upstream for all of them.
func answersAll(t *testing.T) string {
	t.Helper()
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/embeddings"):
			write(w, `{"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
		case strings.HasSuffix(r.URL.Path, "/rerank"):
			write(w, `{"id":"r","model":"up","usage":{"total_tokens":12},"results":[{"index":0,"relevance_score":0.98}]}`)
		case strings.HasSuffix(r.URL.Path, "/generations"):
			write(w, `{"created":1764000000,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":5,"output_tokens":30,"total_tokens":35}}`)
		default:
			write(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":"Pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`)
		}
	})
}

// A refusal is 429 with exact headers for a rate and 402 for a budget, in the
// form of every client language.
func TestRefusedByALimit(t *testing.T) {
	keys := map[string][]wire.Limit{}
	for path := range languagesOf() {
		keys["rate"+path] = []wire.Limit{{Kind: wire.LimitRPM, Value: 1}}
		keys["budget"+path] = []wire.Limit{{Kind: wire.LimitBudget, Reset: wire.ResetMonth}}
	}
	url := answersAll(t)
	embedding := model("e", endpoint("e:a", "vllm", url))
	embedding.Type, embedding.OutputModalities = "embedding", []string{"embeddings"}
	n := startBounded(t, keys, model("m", endpoint("m:a", "vllm", url)), embedding)
	for path, l := range languagesOf() {
		if r := n.do("POST", path, l[0], "Authorization", "Bearer rate"+path); r.StatusCode != 200 || r.Header.Get("X-RateLimit-Limit") != "" {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
		asked := time.Now()
		r := n.do("POST", path, l[0], "Authorization", "Bearer rate"+path)
		wantBody := fmt.Sprintf(l[1]+"%.0[3]s", 429, "Rate limit exceeded: rpm of key rate"+path+" is 1", "rate_limit_error")
		if r.StatusCode != 429 || !strings.HasPrefix(r.body, wantBody) {
			t.Errorf("%s: %d %s, want %s", path, r.StatusCode, r.body, wantBody)
		}
		h := r.Header
		if h.Get("X-RateLimit-Limit") != "1" || h.Get("X-RateLimit-Remaining") != "0" || h.Get("X-Should-Retry") != "true" {
			t.Errorf("%s: headers %v", path, h)
		}
		reset, _ := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
		after, _ := strconv.Atoi(h.Get("Retry-After"))
		if in := time.UnixMilli(reset).Sub(asked); in < 58*time.Second || in > 61*time.Second || after < 58 || after > 61 {
			t.Errorf("%s: reset in %s, Retry-After %d, want a minute", path, in, after)
		}
		if path != "/v1/messages" && !strings.Contains(r.body, `"limit":{"name":"rpm","holder":"key","id":"rate`+path+`","value":"1","remaining":"0","reset_ms":`+strconv.FormatInt(reset, 10)+`}`) {
			t.Errorf("%s: the limit is not named: %s", path, r.body)
		}
		r = n.do("POST", path, l[0], "Authorization", "Bearer budget"+path)
		wantBody = fmt.Sprintf(l[1]+"%.0[3]s", 402, "Insufficient credits: the budget per month of key budget"+path+" is $0", "billing_error")
		if r.StatusCode != 402 || !strings.HasPrefix(r.body, wantBody) || r.Header.Get("Retry-After") != "" || r.Header.Get("X-RateLimit-Limit") != "" || r.Header.Get("X-Should-Retry") != "false" {
			t.Errorf("%s: %d %v %s, want %s", path, r.StatusCode, r.Header, r.body, wantBody)
		}
	}
}

// What a request was estimated to take is replaced by what it has used, however
// it ends, and given back where it was refused.
func TestLimitsAreSettled(t *testing.T) {
	tpm, budget, flights := wire.Limit{Kind: wire.LimitTPM, Value: 1000}, wire.Limit{Kind: wire.LimitBudget, Reset: wire.ResetTotal, Value: 1e12}, wire.Limit{Kind: wire.LimitConcurrency, Value: 1}
	all := []wire.Limit{tpm, budget, flights}
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch text := string(body); {
		case strings.Contains(text, "fail"):
			w.WriteHeader(500)
			write(w, `{}`)
		case strings.Contains(text, `"stream":true`):
			w.Header().Set("Content-Type", "text/event-stream")
			write(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"}}]}\n\n")
			_ = http.NewResponseController(w).Flush()
			if strings.Contains(text, "abort") {
				<-r.Context().Done()
				return
			}
			write(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":20}}\n\ndata: [DONE]\n\n")
		default:
			write(w, `{"choices":[{"index":0,"message":{"content":"Pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":20}}`)
		}
	})
	n := startBounded(t, map[string][]wire.Limit{"whole": all, "stream": all, "fail": all, "abort": all, "early": all}, model("m", endpoint("m:a", "vllm", url)))
	const body = `{"model":"m","max_tokens":500,"messages":[{"role":"user","content":"%s"}]}`
	settled := func(key string, tokens, pico int64) {
		t.Helper()
		n.uses(key, &tpm, tokens)
		n.uses(key, &budget, pico)
		n.uses(key, &flights, 0)
	}
	const cost = 30*300_000 + 20*1_200_000 // $0.3 and $1.2 per million tokens, in pico-dollars
	for key, text := range map[string]string{"whole": "Ping", "stream": "Ping"} {
		request := fmt.Sprintf(body, text)
		if key == "stream" {
			request = streamed(request)
		}
		if r := n.as(key, request); r.StatusCode != 200 {
			t.Errorf("%s: %d %s", key, r.StatusCode, r.body)
		}
		settled(key, 50, cost)
	}
	if r := n.as("fail", fmt.Sprintf(body, "fail")); r.StatusCode != 502 {
		t.Errorf("fail: %d %s", r.StatusCode, r.body)
	}
	settled("fail", 0, 0)
	// more than the limit: nothing is taken of the others
	if r := n.as("early", strings.Replace(fmt.Sprintf(body, "Ping"), "500", "1500", 1)); r.StatusCode != 429 || !strings.Contains(r.body, `"name":"tpm"`) {
		t.Errorf("early: %d %s", r.StatusCode, r.body)
	}
	settled("early", 0, 0)
	n.abort(streamed(fmt.Sprintf(body, "abort")), "abort")
	e := n.event(4)
	if e.End != wire.EndClientGone || e.PromptTokens+e.CompletionTokens == 0 {
		t.Fatalf("abort: %+v", e)
	}
	n.uses("abort", &tpm, e.PromptTokens+e.CompletionTokens) // as far as it was sent
	n.uses("abort", &flights, 0)
}

// abort sends a request and leaves in the middle of the answer.
func (b *bounded) abort(body, key string) {
	b.t.Helper()
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		b.t.Fatal(err)
	}
}

// A panic gives back the key's one place.
func TestAPanicGivesBackItsPlace(t *testing.T) {
	flights := wire.Limit{Kind: wire.LimitConcurrency, Value: 1}
	n := startBounded(t, map[string][]wire.Limit{"k": {flights}}, model("m", endpoint("m:a", "vllm", answersAll(t))))
	s := &sick{Adapter: n.current.Load().Models[0].Endpoints[0].Adapter}
	n.current.Load().Models[0].Endpoints[0].Adapter = s
	for range 3 {
		s.body.Store(true)
		if r := n.as("k", ping); r.StatusCode != 500 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		s.body.Store(false)
		if r := n.as("k", ping); r.StatusCode != 200 {
			t.Errorf("after a panic: %d %s", r.StatusCode, r.body)
		}
	}
	n.uses("k", &flights, 0)
}

// A limit for one model or provider bounds that one, and refuses only when no
// other endpoint is left. A budget is estimated at the highest price of the plan
// and settled at that of the endpoint that answered.
func TestLimitsForAModelOrProvider(t *testing.T) {
	ofModel, ofProvider := wire.Limit{Kind: wire.LimitRPM, Value: 1, Model: "m"}, wire.Limit{Kind: wire.LimitRPM, Value: 1, Provider: "sglang"}
	budget := wire.Limit{Kind: wire.LimitBudget, Reset: wire.ResetDay, Value: 1e12}
	dear := endpoint("p:dear", "sglang", refuses(t, 500, `{}`))
	dear.Pricing = wire.Pricing{Prompt: "3000", Completion: "12000"} // the estimate is 1.2 USD
	dear.Weight = 1e9
	cheap := endpoint("p:cheap", "vllm", answersAll(t))
	cheap.Weight = 1e-9
	n := startBounded(t, map[string][]wire.Limit{"model": {ofModel}, "provider": {ofProvider}, "broke": {budget}, "rich": {budget}},
		model("m", endpoint("m:a", "vllm", answersAll(t))), model("p", dear, cheap))
	f := func(key, model string, maxTokens, status int, want string) {
		t.Helper()
		r := n.as(key, fmt.Sprintf(`{"model":%q,"max_tokens":%d,"messages":[{"role":"user","content":"Ping"}]}`, model, maxTokens))
		if r.StatusCode != status || !strings.Contains(r.body, want) {
			t.Errorf("%s, %s: %d %s, want %d %s", key, model, r.StatusCode, r.body, status, want)
		}
	}
	f("model", "m", 9, 200, "Pong")
	f("model", "m", 9, 429, "rpm for model m of key model is 1")
	f("model", "p", 9, 200, "Pong")
	f("provider", "p", 9, 200, "Pong") // sglang was tried, vllm answered
	n.uses("provider", &ofProvider, 1)
	f("provider", "p", 9, 200, "Pong") // by vllm alone
	if e := n.event(4); len(e.Attempts) != 1 || e.Provider != "VLLM" {
		t.Errorf("tried %+v", e.Attempts)
	}
	f("broke", "p", 100, 402, "budget per day")
	f("rich", "p", 9, 200, "Pong")
	n.uses("rich", &budget, 3*300_000+2*1_200_000)
}

// A key that keeps asking beyond its limit does not fill the request log.
func TestRefusalsInTheLogAreBounded(t *testing.T) {
	n := startBounded(t, map[string][]wire.Limit{"k": {{Kind: wire.LimitBudget, Reset: wire.ResetTotal}}}, model("m", endpoint("m:a", "demo", "")))
	for range 200 {
		if r := n.as("k", ping); r.StatusCode != 402 || r.Header.Get("X-Generation-Id") == "" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
	}
	n.stop()
	if got := len(n.events); got < 60 || got > 120 || n.events[0].End != wire.EndRejected { // twice in case that a minute began
		t.Errorf("%d events, want 60 a minute", got)
	}
}

// An endpoint gets no more requests and tokens than its provider allows; the next
// one takes the others, and where there is none the client learns when to come back.
func TestLimitsOfAProvider(t *testing.T) {
	small, large := endpoint("m:small", "vllm", openAI(t).URL), endpoint("m:large", "sglang", openAI(t).URL)
	small.RPM, large.Weight = 2, 1e-9
	tokens := endpoint("tokens:x", "vllm", openAI(t).URL)
	tokens.TPM = 100
	broken := endpoint("broken:x", "vllm", "http://127.0.0.1:1") // what is not sent does not count
	broken.RPM = 4
	b := startBounded(t, map[string][]wire.Limit{"k": nil}, model("m", small, large), model("tokens", tokens), model("broken", broken))
	ask := func(model string, max int) reply {
		return b.as("k", fmt.Sprintf(`{"model":%q,"max_tokens":%d,"messages":[{"role":"user","content":"Ping"}]}`, model, max))
	}
	for i, want := range []string{"VLLM", "VLLM", "SGLANG", "SGLANG"} {
		if r := ask("m", 8); r.StatusCode != 200 || !strings.Contains(r.body, `"provider":"`+want+`"`) {
			t.Errorf("request %d: %d %s, want %s", i, r.StatusCode, r.body, want)
		}
	}
	var r reply
	answered := 0
	for r = ask("tokens", 60); r.StatusCode == 200 && answered < 25; r = ask("tokens", 60) {
		answered++ // with 4 tokens
	}
	if answered < 2 || answered > 10 {
		t.Errorf("%d answers of 4 tokens, with 60 allowed to each, of 100", answered)
	}
	if wait, err := strconv.Atoi(r.Header.Get("Retry-After")); r.StatusCode != 429 || err != nil || wait < 55 || wait > 61 || !strings.Contains(r.body, "has reached the limit of its provider") {
		t.Errorf("%d, Retry-After %s: %s", r.StatusCode, r.Header.Get("Retry-After"), r.body)
	}
	e := b.gw.Explain(&wire.Question{Path: "chat/completions", Body: []byte(`{"model":"m","messages":[{"role":"user","content":"Ping"}]}`)})
	if len(e.Tried) != 2 || !strings.HasPrefix(e.Tried[0].Reason, "passed over: the provider's rpm of 2 is used up, until ") || e.Tried[1].Reason != "" {
		t.Errorf("%+v", e.Tried)
	}
	for range 3 {
		if r := ask("broken", 8); r.StatusCode == 429 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
}
