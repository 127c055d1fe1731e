package gateway_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

// with puts members into a request.
func with(members string) string {
	return `{` + members + `,"messages":[{"role":"user","content":"Ping"}]}`
}

// answering is an upstream that says its name.
func answering(t *testing.T, name string) string {
	t.Helper()
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`, name)
	})
}

// priced is an endpoint of that weight and price in USD per million tokens.
func priced(e wire.Endpoint, weight float64, price string) wire.Endpoint {
	e.Weight, e.Pricing = weight, wire.Pricing{Prompt: price, Completion: price}
	return e
}

// threeWays is a model served by two kinds in three endpoints. The first gets
// all the traffic that nothing else decides.
func threeWays(t *testing.T) wire.Model {
	t.Helper()
	m := model("m", priced(endpoint("m:main", "vllm", answering(t, "main")), 1e9, "3"),
		priced(endpoint("m:spare", "sglang", answering(t, "spare")), 1, "2"),
		priced(endpoint("m:cheap", "sglang", answering(t, "cheap")), 1e-3, "0.5"),
		priced(endpoint("m:parked", "sglang", answering(t, "parked")), 0, "1"))
	m.Aliases, m.Quantization = []string{"alias"}, "fp8"
	return m
}

func content(t *testing.T, r reply) string {
	t.Helper()
	got := decode[struct {
		Choices []struct{ Message struct{ Content string } }
	}](t, r, 200)
	return got.Choices[0].Message.Content
}

func TestPreferencesDecide(t *testing.T) {
	n := start(t, nodeOptions{}, threeWays(t))
	f := func(members, want string) {
		t.Helper()
		if got := content(t, n.chat(with(members))); got != want {
			t.Errorf("%s is answered by %q, want %q", members, got, want)
		}
	}
	f(`"model":"m"`, "main")
	f(`"model":"m","provider":{}`, "main")
	f(`"model":"m","provider":null`, "main")
	f(`"model":"m","provider":{"only":["sglang"]}`, "spare")
	f(`"model":"m","provider":{"only":["SGLang"],"sort":null}`, "spare")
	f(`"model":"m","provider":{"order":["m:cheap","spare"]}`, "cheap")
	f(`"model":"m","provider":{"order":["nobody","sglang/fp8"]}`, "spare")
	f(`"model":"m","provider":{"ignore":["vllm"]}`, "spare")
	f(`"model":"m","provider":{"sort":"price"}`, "cheap")
	f(`"model":"m","provider":{"max_price":{"prompt":"2"},"data_collection":"deny","zdr":true}`, "spare")
	f(`"model":"m","provider":{"max_price":{"completion":1}}`, "cheap")
	f(`"model":"m","provider":{"quantizations":["fp8"]}`, "main")
	f(`"model":"m:floor"`, "cheap")
	f(`"model":"alias:floor"`, "cheap")
	f(`"models":["m:floor"]`, "cheap")
	f(`"model":"openrouter/auto"`, "main")
}

func TestSortingAcrossModels(t *testing.T) {
	n := start(t, nodeOptions{}, model("dear", priced(endpoint("dear:x", "vllm", answering(t, "dear")), 1, "5")), model("cheap", priced(endpoint("cheap:x", "vllm", answering(t, "cheap")), 1, "1")))
	f := func(members, want string) {
		t.Helper()
		if got := content(t, n.chat(with(`"models":["dear","cheap"],`+members))); got != want {
			t.Errorf("%s is answered by %q, want %q", members, got, want)
		}
	}
	f(`"provider":{"sort":"price"}`, "dear")
	f(`"provider":{"sort":{"by":"price","partition":"model"}}`, "dear")
	f(`"provider":{"sort":{"by":"price","partition":"none"}}`, "cheap")
	f(`"route":"sort","provider":{"sort":"price"}`, "cheap")
	f(`"route":"fallback","provider":{"sort":"price"}`, "dear")
	f(`"provider":{"only":["cheap:x"]}`, "cheap")
}

func TestPreferencesThatLeaveNothing(t *testing.T) {
	n := start(t, nodeOptions{}, threeWays(t))
	c := openContract(t)
	f := func(members string, status int, schema, want string) {
		t.Helper()
		r := n.chat(with(members))
		c.holds(schema, r.body)
		got := decode[struct {
			Error struct {
				Message  string
				Metadata struct {
					Type      string   `json:"error_type"`
					Requested []string `json:"requested_providers"`
					Available []string `json:"available_providers"`
				}
			}
		}](t, r, status)
		if !strings.HasPrefix(got.Error.Message, want) {
			t.Errorf("%s: %s", members, r.body)
		}
		if strings.HasPrefix(want, "No allowed") && (len(got.Error.Metadata.Available) != 2 || got.Error.Metadata.Type != "not_found") {
			t.Errorf("%s: %s", members, r.body)
		}
	}
	const none = "No allowed providers are available for the selected model."
	f(`"model":"m","provider":{"only":["deepinfra"]}`, 404, "NotFoundResponse", none)
	f(`"model":"m","provider":{"order":["deepinfra"],"allow_fallbacks":false}`, 404, "NotFoundResponse", none)
	f(`"model":"m","provider":{"max_price":{"prompt":0.1}}`, 404, "NotFoundResponse", none+" Excluded by provider.max_price.")
	f(`"model":"m","provider":{"quantizations":["int4"]}`, 404, "NotFoundResponse", none)
	f(`"model":"m","top_k":5,"provider":{"require_parameters":true}`, 404, "NotFoundResponse", none+" Excluded by provider.require_parameters.")
	f(`"model":"m:free"`, 404, "NotFoundResponse", "No endpoints found for m:free.")
	f(`"model":"m:turbo"`, 400, "BadRequestResponse", "m:turbo is not a valid model ID")
	f(`"model":"m","provider":{"sorted":"price"}`, 400, "BadRequestResponse", "provider.sorted: unknown field")
	f(`"model":"m","provider":{"zdr":"yes"}`, 400, "BadRequestResponse", "provider.zdr: must be true or false")
	f(`"model":"m","models":["m","m","m","m"]`, 400, "BadRequestResponse", "'models' array must have 3 items or fewer.")
	f(`"model":"m","models":["x"]`, 400, "BadRequestResponse", "x is not a valid model ID")
}

func TestRequireParametersKeepsWhoTakesThem(t *testing.T) {
	m := model("m", priced(endpoint("m:ollama", "ollama", answering(t, "ollama")), 1e9, "1"), priced(endpoint("m:vllm", "vllm", answering(t, "vllm")), 1, "1"))
	m.SupportedParameters = []string{"temperature", "logit_bias"}
	n := start(t, nodeOptions{}, m)
	f := func(members, want string) {
		t.Helper()
		if got := content(t, n.chat(with(members))); got != want {
			t.Errorf("%s is answered by %q, want %q", members, got, want)
		}
	}
	f(`"logit_bias":{"1":5}`, "ollama") // which ignores it
	f(`"logit_bias":{"1":5},"provider":{"require_parameters":true}`, "vllm")
	f(`"temperature":1,"user":"u","provider":{"require_parameters":true}`, "ollama")
	const tools = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	f(tools, "ollama")
	f(tools+`,"tool_choice":"required"`, "vllm") // ollama has no tool_choice, so the other is preferred
}

func TestAnotherModelAnswersAfterAnyError(t *testing.T) {
	long := refuses(t, 400, `{"error":{"message":"This model's maximum context length is 10 tokens","code":"context_length_exceeded"}}`)
	bad := refuses(t, 400, `{"error":{"message":"no such thing"}}`)
	good := priced(endpoint("good:x", "sglang", answering(t, "good")), 1, "7")
	n := start(t, nodeOptions{}, model("long", endpoint("long:x", "vllm", long), endpoint("long:y", "vllm", long)), model("bad", endpoint("bad:x", "vllm", bad)),
		model("down", endpoint("down:x", "vllm", "http://127.0.0.1:1")), model("good", good))
	for i, members := range []string{
		`"model":"long","models":["good"]`, `"models":["bad","good"]`, `"model":"down","models":["long","bad","good"]`, `"model":"long","models":["good"],"route":"fallback"`,
	} {
		r := n.chat(with(members))
		if got := content(t, r); got != "good" || !strings.Contains(r.body, `"model":"good"`) {
			t.Errorf("%s: %s", members, r.body)
		}
		e := n.event(i)
		if e.Model != "good" || e.CostUSD != "0.0077" { // 1100 tokens at 7 USD per million, whatever was asked for
			t.Errorf("%s is billed as %s for %s", members, e.Model, e.CostUSD)
		}
		for _, a := range e.Attempts {
			if strings.HasPrefix(a.Endpoint, "long:") && i == 0 && len(e.Attempts) != 2 {
				t.Errorf("%s: both endpoints of a model that refuses were tried: %+v", members, e.Attempts)
			}
		}
	}
	r := n.chat(with(`"model":"down","models":["bad"]`))
	openContract(t).holds("BadRequestResponse", r.body)
	got := decode[struct {
		Error struct {
			Message  string
			Metadata struct {
				Previous []struct {
					Provider, Code string
					Status         int
				} `json:"previous_errors"`
			}
		}
	}](t, r, 400)
	if p := got.Error.Metadata.Previous; len(p) != 1 || p[0].Provider != "VLLM" || p[0].Code != "unavailable" || !strings.Contains(got.Error.Message, "no such thing") {
		t.Errorf("all failed: %s", r.body)
	}
}

func TestPins(t *testing.T) {
	keys := map[string]wire.Key{"boss": {ID: "k1", Role: "admin"}, "user": {ID: "k2", Role: "pro"}}
	n := start(t, guarded(keys), threeWays(t), model("gone", endpoint("gone:x", "vllm", "http://127.0.0.1:1"), endpoint("gone:y", "vllm", answering(t, "y"))))
	f := func(key, pin, want string) {
		t.Helper()
		if got := content(t, n.chat(with(`"model":"m"`), "Authorization", "Bearer "+key, "X-Route-Pin", pin)); got != want {
			t.Errorf("%s pins %q: %q, want %q", key, pin, got, want)
		}
	}
	f("boss", "m:cheap", "cheap")
	f("boss", "cheap", "cheap")
	f("boss", "VLLM", "main")
	f("boss", "parked", "parked")
	f("boss", "", "main")
	f("user", "cheap", "main")
	r := n.chat(with(`"model":"m"`), "Authorization", "Bearer boss", "X-Route-Pin", "nowhere")
	if r.StatusCode != 400 || !strings.Contains(r.body, "X-Route-Pin: m has no endpoint or provider nowhere; it has main, spare, cheap, parked") {
		t.Errorf("a miss: %d %s", r.StatusCode, r.body)
	}
	if r := n.chat(with(`"model":"gone","models":["m"]`), "Authorization", "Bearer boss", "X-Route-Pin", "x"); r.StatusCode != 502 {
		t.Errorf("a pin fell back: %d %s", r.StatusCode, r.body)
	}
}

func TestModelsAboveTheKeyAreHidden(t *testing.T) {
	secret := model("secret", endpoint("secret:x", "vllm", answering(t, "secret")))
	secret.RequiredRole = "internal"
	keys := map[string]wire.Key{"free": {ID: "k1"}, "internal": {ID: "k2", Role: "internal"}, "narrow": {ID: "k3", Role: "pro", Models: []string{"secret"}}}
	n := start(t, guarded(keys), threeWays(t), secret)
	f := func(key, members string, status int, message string) {
		t.Helper()
		if r := n.chat(with(members), "X-API-Key", key); r.StatusCode != status || !strings.Contains(r.body, message) {
			t.Errorf("%s with %s: %d %s", key, members, r.StatusCode, r.body)
		}
	}
	f("free", `"model":"secret"`, 400, "secret is not a valid model ID")
	f("free", `"model":"secret:nitro"`, 400, "secret:nitro is not a valid model ID")
	f("free", `"model":"m","models":["secret"]`, 400, "secret is not a valid model ID")
	f("internal", `"model":"secret"`, 200, "secret")
	f("narrow", `"model":"m"`, 403, "may not use the model m")
	f("nobody", `"model":"m"`, 401, "authentication")
}

func TestRoutingIsExplained(t *testing.T) {
	n := start(t, nodeOptions{}, threeWays(t), model("down", endpoint("down:x", "vllm", "http://127.0.0.1:1")), model("demo", endpoint("demo:d", "demo", "")))
	c := openContract(t)
	type routing struct {
		Routing *struct {
			Requested, Strategy, Summary string
			Attempt                      int
			Endpoints                    struct {
				Total     int
				Available []struct {
					Provider, Model string
					Selected        bool
				}
			}
			Attempts []struct{ Status int }
		} `json:"openrouter_metadata"`
	}
	f := func(members, strategy string, attempt, total, available int) {
		t.Helper()
		r := n.chat(with(members), "X-OpenRouter-Metadata", "enabled")
		c.holds("ChatResult", r.body)
		got := decode[routing](t, r, 200).Routing
		if got == nil || got.Strategy != strategy || got.Attempt != attempt || got.Endpoints.Total != total || len(got.Endpoints.Available) != available ||
			len(got.Attempts) != attempt || !strings.Contains(got.Summary, "selected=") {
			t.Errorf("%s: %s", members, r.body)
			return
		}
		selected := 0
		for _, e := range got.Endpoints.Available {
			if e.Selected {
				selected++
			}
		}
		if selected != 1 {
			t.Errorf("%s: %d selected", members, selected)
		}
	}
	f(`"model":"m"`, "direct", 1, 3, 3)
	f(`"model":"alias"`, "alias", 1, 3, 3)
	f(`"model":"m","provider":{"only":["sglang"]}`, "direct", 1, 3, 2)
	f(`"model":"down","models":["m"]`, "fallback", 2, 4, 4)
	f(`"usage":{"include":true}`, "auto", 1, 3, 3)
	if r := n.chat(with(`"model":"m"`)); strings.Contains(r.body, "openrouter_metadata") {
		t.Errorf("not asked for: %s", r.body)
	}
	r := n.chat(with(`"model":"demo","stream":true,"demo_delay_ms":0`), "X-OpenRouter-Experimental-Metadata", "enabled")
	c.stream(r.body)
	data := dataLines(t, r.body)
	if last := data[len(data)-2]; strings.Count(r.body, "openrouter_metadata") != 1 || !strings.Contains(last, `"openrouter_metadata":{"requested":"demo"`) {
		t.Errorf("stream %s", r.body)
	}
	r = n.chat(with(`"model":"down"`), "X-OpenRouter-Metadata", "enabled")
	c.holds("BadGatewayResponse", r.body)
	if got := decode[routing](t, r, 502).Routing; got == nil || got.Attempt != 2 || len(got.Attempts) != 2 {
		t.Errorf("error %s", r.body)
	}
}

func TestSortByWhatWasMeasured(t *testing.T) {
	paced := func(name string, chunk string) string {
		return server(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":%s,"total_tokens":4}}`, name, chunk)
		})
	}
	// Both take about as long, but one says a hundred thousand times as much.
	n := start(t, nodeOptions{}, model("m", priced(endpoint("m:few", "vllm", paced("few", "1")), 1e9, "1"), priced(endpoint("m:many", "sglang", paced("many", "100000")), 1, "1")))
	seen := map[string]int{}
	for range 10 {
		seen[content(t, n.chat(with(`"model":"m:nitro"`)))]++
	}
	// each is tried once, to become known
	if seen["few"] != 1 || seen["many"] != 9 {
		t.Errorf("nitro went to %v", seen)
	}
	if got := content(t, n.chat(with(`"provider":{"sort":"price","preferred_min_throughput":{"p50":5000}}`))); got != "many" {
		t.Errorf("preferred throughput: %q", got)
	}
	if got := content(t, n.chat(with(`"provider":{"sort":"throughput","allow_fallbacks":false}`))); got != "many" {
		t.Errorf("throughput: %q", got)
	}
}

func TestEmbeddingsFollowPreferences(t *testing.T) {
	bodies := make(chan string, 1)
	up := server(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
		_, _ = io.WriteString(w, `{"data":[{"index":0,"embedding":[0.5,-1]}],"usage":{"prompt_tokens":1000,"total_tokens":1000}}`)
	})
	m := model("e", endpoint("e:main", "vllm", "http://127.0.0.1:1"), priced(endpoint("e:spare", "sglang", up), 1e-6, "2"))
	m.Type, m.OutputModalities = "embedding", []string{"embeddings"}
	n := start(t, nodeOptions{}, m)
	r := n.do("POST", "/v1/embeddings", `{"model":"e","input":"x","provider":{"only":["sglang"]}}`)
	got := decode[struct {
		Data  []struct{ Embedding []float64 }
		Usage struct{ Cost json.Number }
	}](t, r, 200)
	if len(got.Data[0].Embedding) != 2 || got.Usage.Cost != "0.002" {
		t.Errorf("%s", r.body)
	}
	if sent := <-bodies; strings.Contains(sent, "provider") {
		t.Errorf("the upstream gets %s", sent)
	}
	if r := n.do("POST", "/v1/embeddings", `{"model":"e","input":"x","provider":{"only":["nobody"]}}`); r.StatusCode != 404 {
		t.Errorf("nobody: %d %s", r.StatusCode, r.body)
	}
	if r := n.do("POST", "/v1/embeddings", `{"model":"e","input":"x","provider":[]}`); r.StatusCode != 400 {
		t.Errorf("wrong type: %d %s", r.StatusCode, r.body)
	}
}
