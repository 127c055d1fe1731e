package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

// priceList has a price for everything, each another, so that a count in the
// wrong place shows.
func priceList() wire.Pricing {
	return wire.Pricing{
		Prompt: "2", Completion: "8", Reasoning: "10", CacheRead: "0.5", CacheWrite: "2.5", CacheWrite1h: "4", InputAudio: "40", InputAudioCache: "2.5", OutputAudio: "80",
		OutputImageTokens: "30", Image: "0.001", OutputImage: "0.002", WebSearch: "0.01", ServerTool: "0.005",
		Overrides: []wire.PriceOverride{
			{MinPromptTokens: 1001, Prices: wire.Pricing{Prompt: "4"}},
			{ServiceTier: "flex", Multiplier: "0.5"},
			{ServiceTier: "priority", Multiplier: "2"},
		},
	}
}

// priceCase is one answer of an upstream and what it costs, worked out by hand.
type priceCase struct {
	name, path, request, answer string
	change                      func(e *wire.Endpoint)
	cost, source                string
}

func (c *priceCase) run(t *testing.T, kind string) {
	t.Helper()
	t.Run(c.name+" of "+kind, func(t *testing.T) {
		t.Parallel()
		c.ask(t, kind)
	})
}

func (c *priceCase) ask(t *testing.T, kind string) {
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(c.answer, "event:") || strings.HasPrefix(c.answer, "data:") {
			w.Header().Set("Content-Type", "text/event-stream")
		} else {
			w.Header().Set("Content-Type", "application/json")
		}
		_, _ = io.WriteString(w, c.answer)
	})
	e := endpoint("m:"+kind, kind, url)
	e.Pricing = priceList()
	if c.change != nil {
		c.change(&e)
	}
	m := model("m", e)
	m.InputModalities = []string{"text", "image", "audio"}
	request := ping
	if c.request != "" {
		request = c.request
	}
	if strings.HasSuffix(c.path, "embeddings") {
		m.Type = "embedding"
	} else if strings.Contains(c.answer, "data:") {
		request = strings.Replace(request, "{", `{"stream":true,`, 1)
	}
	n := start(t, nodeOptions{}, m)
	path := "/v1/chat/completions"
	if c.path != "" {
		path = c.path
	}
	r := n.do(http.MethodPost, path, request)
	told := strings.Contains(r.body, `"cost":`)
	switch {
	case r.StatusCode != http.StatusOK:
		t.Errorf("status %d: %s", r.StatusCode, r.body)
	case c.path == "/v1/responses": // passed on as it is
	case told != (c.cost != ""), told && !strings.Contains(r.body, `"cost":`+c.cost):
		t.Errorf("the client is told another cost than %q: %s", c.cost, r.body)
	}
	if u := n.event(0); u.CostUSD != c.cost || u.CostSource != c.source || u.PriceVersion == "" {
		t.Errorf("cost %q from %q, version %q; want %q from %q\n%+v", u.CostUSD, u.CostSource, u.PriceVersion, c.cost, c.source, u)
	}
}

// complete is an answer of the OpenAI family, inPieces the same as a stream.
func complete(more, usage string) string {
	return `{"id":"x","object":"chat.completion",` + more + `"choices":[{"index":0,"message":{"role":"assistant","content":"Pong"},"finish_reason":"stop"}],"usage":{` + usage + `}}`
}

func inPieces(usage string) string {
	return `data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"Pong"}}]}

data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"x","choices":[],"usage":{` + usage + `}}

data: [DONE]

`
}

func unpriced(e *wire.Endpoint) { e.Pricing = wire.Pricing{} }

func TestWhatAnswersCost(t *testing.T) {
	const (
		details = `"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5}`
		few     = `"prompt_tokens":100,"completion_tokens":1,"total_tokens":101`
		picture = `{"messages":[{"role":"user","content":[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`
		spends  = `"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"cost":0.0042,"server_tool_use":{"web_search_requests":2}`
		byok    = `"prompt_tokens":100,"completion_tokens":10,"total_tokens":110,"cost":1e-04,"is_byok":true,"cost_details":{"upstream_inference_cost":0.002}`
	)
	// 50*2 + 40*0.5 + 10*40 + 20*10 + 5*80 + 25*8 millionths
	everyone := []priceCase{
		{name: "details", answer: complete("", details), cost: "0.00132", source: "list"},
		{name: "details, streamed", answer: inPieces(details), cost: "0.00132", source: "list"},
		{name: "a large prompt", answer: complete("", `"prompt_tokens":2000,"completion_tokens":10,"total_tokens":2010`), cost: "0.00808", source: "list"},
		{name: "more cached than prompt", answer: complete("", `"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":400}`), cost: "0.000013", source: "list"},
		{name: "no prices", answer: complete("", few), change: unpriced, source: "unknown"},
	}
	for _, kind := range []string{"openai_compat", "vllm", "sglang", "ollama", "deepseek", "zhipu", "minimax", "chutes", "featherless", "openrouter"} {
		for _, c := range everyone {
			c.run(t, kind)
		}
	}
	for _, c := range []priceCase{
		{name: "flex", answer: complete(`"service_tier":"flex",`, details), cost: "0.00066", source: "list"},
		{name: "another tier than asked for", request: strings.Replace(ping, "{", `{"service_tier":"flex",`, 1), answer: complete(`"service_tier":"default",`, details), cost: "0.00132", source: "list"},
		{name: "an image in the prompt", request: picture, answer: complete("", few), cost: "0.001208", source: "list"},
		{name: "no price for cached", answer: complete("", details), change: func(e *wire.Endpoint) { e.Pricing.CacheRead = "" }, cost: "0.00138", source: "partial"},
		{name: "unknown price of images", request: picture, answer: complete("", few), change: func(e *wire.Endpoint) { e.Pricing.Image, e.Pricing.Unknown = "", []string{"image"} }, cost: "0.000208", source: "partial"},
		{name: "free", answer: complete("", details), change: func(e *wire.Endpoint) { e.Pricing = wire.Pricing{Prompt: "0", Completion: "0"} }, cost: "0", source: "free"},
		{name: "embeddings", path: "/v1/embeddings", request: `{"input":"x"}`, answer: `{"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`, cost: "0.000008", source: "list"},
		{name: "embeddings without usage", path: "/v1/embeddings", request: `{"input":["hello world!","ab"]}`, answer: `{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2]}]}`, cost: "0.00001", source: "list"},
		{
			name: "responses", path: "/v1/responses", request: `{"model":"m","input":"x"}`, change: func(e *wire.Endpoint) { e.Responses = true },
			answer: `{"id":"r","object":"response","status":"completed","model":"m","output":[{"type":"web_search_call","id":"w","status":"completed"},{"type":"message","content":[{"type":"output_text","text":"Pong"}]}],` +
				`"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40},"output_tokens":50,"total_tokens":150,"output_tokens_details":{"reasoning_tokens":20}}}`,
			cost: "0.01058", source: "list", // 60*2 + 40*0.5 + 20*10 + 30*8 millionths and a search
		},
	} {
		c.run(t, "openai_compat")
	}
	for _, c := range []priceCase{
		{name: "searches", answer: complete("", spends), cost: "0.02028", source: "list"},
		{name: "its own cost", answer: complete("", spends), change: unpriced, cost: "0.0042", source: "upstream"},
		{name: "its own cost instead", answer: inPieces(spends), change: func(e *wire.Endpoint) { e.Pricing.Cost = wire.CostUpstream }, cost: "0.0042", source: "upstream"},
		{name: "byok", answer: complete("", byok), change: unpriced, cost: "0.0021", source: "upstream"},
	} {
		c.run(t, "openrouter")
	}
}

func TestWhatAnthropicsAndGooglesAnswersCost(t *testing.T) {
	const (
		usage = `"input_tokens":50,"cache_read_input_tokens":30,"cache_creation_input_tokens":20,"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"output_tokens":10,` +
			`"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},"service_tier":"`
		message = `{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"Pong"}],"stop_reason":"end_turn","usage":{` + usage
		pieces  = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"usage":{"input_tokens":50,"cache_read_input_tokens":30,"cache_creation_input_tokens":20,"cache_creation":{"ephemeral_5m_input_tokens":15,"ephemeral_1h_input_tokens":5},"output_tokens":1,"service_tier":"priority"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Pong"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":10,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}}

event: message_stop
data: {"type":"message_stop"}

`
		google = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Pong"}]},"finishReason":"STOP","index":0,"groundingMetadata":{"webSearchQueries":["a","b"]}}],"usageMetadata":{` +
			`"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":25,"thoughtsTokenCount":20,"totalTokenCount":145,` +
			`"promptTokensDetails":[{"modality":"TEXT","tokenCount":60},{"modality":"AUDIO","tokenCount":30},{"modality":"IMAGE","tokenCount":10}],` +
			`"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":10}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":5}]}}`
	)
	// 50*2 + 30*0.5 + 15*2.5 + 5*4 + 10*8 millionths, 2*0.01 + 0.005
	for _, c := range []priceCase{
		{name: "standard", answer: message + `standard"}}`, cost: "0.0252525", source: "list"},
		{name: "priority", answer: message + `priority"}}`, cost: "0.050505", source: "list"},
		{name: "streamed", answer: pieces, cost: "0.050505", source: "list"},
	} {
		c.run(t, "anthropic")
		c.run(t, "claude")
	}
	// 30*2 + 10*2 + 20*40 + 30*0.5 + 10*2.5 + 20*10 + 5*30 + 20*8 millionths, 2*0.01
	for _, c := range []priceCase{
		{name: "modalities", answer: google, cost: "0.02143", source: "list"},
		{name: "streamed", answer: "data: " + google + "\n\n", cost: "0.02143", source: "list"},
	} {
		c.run(t, "gemini")
	}
}
