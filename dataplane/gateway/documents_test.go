package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

// documents is a server with rerank and images/generations.
func documents(t *testing.T) (url string, asked chan string) {
	t.Helper()
	asked = make(chan string, 10)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked <- r.URL.Path + " " + string(body)
		switch {
		case strings.Contains(string(body), "break"):
			write(w, `{"error":{"message":"The model is overloaded","type":"overloaded_error"}}`)
		case strings.Contains(string(body), "cohere"):
			write(w, `{"id":"rerank-1","results":[],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":3}}}`)
		case strings.HasSuffix(r.URL.Path, "/rerank"):
			write(w, `{"id":"rerank-1","model":"up","usage":{"total_tokens":12},"results":[{"index":1,"document":{"text":"b"},"relevance_score":0.98}]}`)
		default:
			write(w, `{"created":1764000000,"data":[{"b64_json":"AA=="},{"b64_json":"AB=="}],"usage":{"input_tokens":5,"output_tokens":30,"total_tokens":35,"input_tokens_details":{"text_tokens":5,"image_tokens":0}}}`)
		}
	}), asked
}

func TestRerank(t *testing.T) {
	url, asked := documents(t)
	n := start(t, nodeOptions{}, model("m", endpoint("m:down", "vllm", refuses(t, 503, `{}`)), endpoint("m:a", "vllm", url)), model("c", endpoint("c:a", "anthropic", url)))
	for _, path := range []string{"/v1/rerank", "/api/v1/rerank", "/v2/rerank"} {
		r := n.do("POST", path, `{"model":"m","query":"q","documents":["a",{"text":"b"}],"top_n":1,"provider":{"order":["VLLM"]},"truncate":"end"}`)
		if r.StatusCode != 200 || !strings.HasPrefix(r.body, `{"id":"gen-`) || !strings.Contains(r.body, `,"model":"m","usage":{"cost":0.0000036,"total_tokens":12},"results":[{"index":1,"document":{"text":"b"},"relevance_score":0.98}]}`) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
		if got := <-asked; got != `/v1/rerank {"model":"up-m:a","query":"q","documents":["a",{"text":"b"}],"top_n":1,"truncate":"end"}` {
			t.Error(got)
		}
	}
	if u := n.event(0); u.API != "rerank" || u.PromptTokens != 12 || u.CompletionTokens != 0 || u.CostUSD != "0.0000036" || u.UpstreamID != "rerank-1" {
		t.Errorf("%+v", u)
	}
	f := func(body string, status int, want string) {
		t.Helper()
		if r := n.do("POST", "/v1/rerank", body); r.StatusCode != status || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s, want %d %s", body, r.StatusCode, r.body, status, want)
		}
	}
	f(`{"model":"m","documents":["a"]}`, 400, "query: required")
	f(`{"model":"m","query":"q","documents":[]}`, 400, "documents: must have from 1 to 10000 elements, got 0")
	f(`{"model":"m","query":"q","documents":["a",7]}`, 400, "documents[1]: must be a string or an object")
	f(`{"model":"m","query":"q","documents":["a"],"top_n":0}`, 400, "top_n: must be an integer of at least 1")
	f(`{"model":"m","query":"q","query":"r","documents":["a"]}`, 400, "query: duplicate key")
	f(`[]`, 400, "must be a JSON object")
	f(`{"model":"m"`, 400, "not valid JSON")
	f(`{"model":"c","query":"q","documents":["a"]}`, 400, "does not support rerank")
	f(`{"model":"none","query":"q","documents":["a"]}`, 400, "none")
	f(`{"model":"m","query":"break","documents":["a"]}`, 503, "overloaded")
}

// Cohere counts searches, which have a price of their own.
func TestRerankBySearches(t *testing.T) {
	url, _ := documents(t)
	e := endpoint("m:a", "vllm", url)
	e.Pricing = wire.Pricing{Prompt: "0.3", Completion: "0", WebSearch: "0.002"}
	n := start(t, nodeOptions{}, model("m", e))
	r := n.do("POST", "/v2/rerank", `{"model":"m","query":"cohere","documents":["a"]}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"billed_units":{"search_units":3}`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if u := n.event(0); u.WebSearches != 3 || u.PromptTokens != 0 || u.CostUSD != "0.006" || u.UsageSource != wire.UsageProvider {
		t.Errorf("%+v", u)
	}
}

func TestImages(t *testing.T) {
	url, asked := documents(t)
	m := model("m", endpoint("m:a", "openai", url))
	n := start(t, nodeOptions{}, m)
	r := n.do("POST", "/v1/images/generations", `{"model":"m","prompt":"a cat","n":2,"size":"1024x1024"}`)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"created":1764000000,"data":[{"b64_json":"AA=="},{"b64_json":"AB=="}],"usage":{"cost":`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if got := <-asked; got != `/v1/images/generations {"model":"up-m:a","prompt":"a cat","n":2,"size":"1024x1024"}` {
		t.Error(got)
	}
	if u := n.event(0); u.API != "images" || u.PromptTokens != 5 || u.CompletionTokens != 30 || u.OutputImages != 2 {
		t.Errorf("%+v", u)
	}
	for body, want := range map[string]string{
		`{"model":"m"}`:                                  "prompt: required",
		`{"model":"m","prompt":"x","n":11}`:              "n: must be an integer from 1 to 10",
		`{"model":"m","prompt":"x","stream":true}`:       "stream: not supported by images",
		`{"model":"m","prompt":["x"]}`:                   "prompt: must be a string",
		`{"model":"m","prompt":"x","provider":"openai"}`: "provider: must be an object",
	} {
		if r := n.do("POST", "/v1/images/generations", body); r.StatusCode != 400 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s, want %s", body, r.StatusCode, r.body, want)
		}
	}
}
