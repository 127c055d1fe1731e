package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
)

// gatewayUnderTest is the whole gateway in this process.
type gatewayUnderTest struct {
	t   *testing.T
	url string
	log *logtest.Buffer
	// stop asks it to end and waits.
	stop func() error
}

// startGateway starts it with these variables and this configuration, on free ports.
func startGateway(t *testing.T, models, routing string, vars ...string) *gatewayUnderTest {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"models.yaml": models, "routing.yaml": routing} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := env.Open(filepath.Join(dir, "none.env"), slices.Concat([]string{
		"PORT=0", "CONTROL_PORT=0", "STATE_DIR=" + filepath.Join(dir, "state"), "MODELS_CONFIG=" + filepath.Join(dir, "models.yaml"), "ROUTING_CONFIG=" + filepath.Join(dir, "routing.yaml"),
	}, vars))
	if err != nil {
		t.Fatal(err)
	}
	var s Settings
	if err := env.Parse(&s, nil, all.Lookup); err != nil {
		t.Fatal(err)
	}
	g := &gatewayUnderTest{t: t, log: new(logtest.Buffer)}
	p := process{settings: &s, vars: all, hangups: make(chan os.Signal), version: "test", log: slog.New(slog.NewTextHandler(g.log, nil)), out: g.log}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var result error
	done := make(chan struct{})
	go func() { result = p.serve(ctx); close(done) }()
	stopped := false
	g.stop = func() error { stopped = true; cancel(); <-done; return result }
	t.Cleanup(func() {
		if early := stopped; g.stop() != nil && !early {
			t.Error(result)
		}
		if t.Failed() {
			t.Log(g.log)
		}
	})
	const before = "\n  API      "
	eventually.True(t, "the gateway is up", func() bool {
		select {
		case <-done:
			t.Fatalf("it has ended: %v", result)
		default:
		}
		return strings.Contains(g.log.String(), before)
	})
	_, rest, _ := strings.Cut(g.log.String(), before)
	g.url, _, _ = strings.Cut(rest, "/v1\n")
	return g
}

// do returns status, headers and body of an answer as text.
func (g *gatewayUnderTest) do(method, path, body string, headers ...string) string {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Close = true // a stop would wait for idle connections
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	for try := 0; try < 9 && errors.Is(err, syscall.ECONNRESET); try++ { // refused while a megabyte was still being sent
		req.Body, _ = req.GetBody()
		resp, err = http.DefaultClient.Do(req)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out bytes.Buffer
	_, _ = fmt.Fprintln(&out, resp.StatusCode)
	_ = resp.Header.Write(&out)
	if _, err := io.Copy(&out, resp.Body); err != nil {
		g.t.Fatalf("%s %s: %v after %s", method, path, err, out.String())
	}
	return out.String()
}

// provider is an upstream for all models. The first part of the path says which
// model is meant.
type provider struct {
	*httptest.Server

	mu sync.Mutex
	// requests are the last ones, by that part.
	requests map[string]string
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{requests: map[string]string{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// ServeHTTP implements http.Handler.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	who, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	who = strings.TrimSuffix(who, "-moved")
	var text bytes.Buffer
	_, _ = fmt.Fprintf(&text, "%s %s\n", r.Method, r.URL.RequestURI())
	_ = r.Header.Write(&text)
	p.mu.Lock()
	p.requests[who] = text.String() + string(body)
	p.mu.Unlock()
	for pause, text := range map[time.Duration]string{500 * time.Millisecond: "be slow", 2 * time.Second: "be very slow"} {
		if bytes.Contains(body, []byte(text)) {
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
			}
		}
	}
	answer := `{"choices":[{"index":0,"message":{"content":"<think>Hm.</think>Pong <tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>"},"finish_reason":"stop"}],
		"usage":{"prompt_tokens":1000000,"completion_tokens":1000000,"prompt_tokens_details":{"cached_tokens":500000}}}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/messages"):
		answer = `{"type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Pong"}],"stop_reason":"end_turn",
			"usage":{"input_tokens":1000000,"output_tokens":1000000,"cache_creation_input_tokens":2000000,"cache_creation":{"ephemeral_5m_input_tokens":1000000,"ephemeral_1h_input_tokens":1000000}}}`
	case strings.HasSuffix(r.URL.Path, "/embeddings"):
		answer = `{"data":[{"index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":1}}`
	case strings.HasSuffix(r.URL.Path, "/responses"):
		answer = `{"id":"resp_1","object":"response","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Pong"}]}],"usage":{"input_tokens":1,"output_tokens":1}}`
	}
	switch r.URL.Path { // of health checks
	case "/late":
		time.Sleep(300 * time.Millisecond)
	case "/teapot":
		w.WriteHeader(http.StatusTeapot)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answer)
}

// seen is the last request for a model.
func (p *provider) seen(who string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[who]
}

// keyCase shows the effect of one key: of two models that differ in it alone, one
// has a text in what happens, and the other has not.
type keyCase struct {
	// key is its path below models[] or route[].
	key, value string
	// model and route are what both models have besides.
	model, route map[string]string
	// path and body are the request, POST chat/completions if there is no path; a
	// path without a body is a GET. In all of these texts ID is the model, UP the upstream.
	path, body string
	// with is seen with the key only, without is not seen with it only.
	with, without string
}

const (
	chatPath = "/v1/chat/completions"
	user     = `"messages":[{"role":"user","content":"Ping"}]`
	tool     = `,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]`
	picture  = `"messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]`
	format   = `,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}}`
)

func claude(name string) map[string]string {
	return map[string]string{"kind": "anthropic", "provider_model_id": name}
}

// modelKeys are those that only a model has.
func modelKeys() []keyCase {
	return []keyCase{
		{key: "name", value: "Anton", path: "/v1/model/ID", with: `"name":"Anton"`},
		{key: "description", value: "Beautiful", path: "/v1/model/ID", with: `"description":"Beautiful"`},
		{key: "hugging_face_id", value: "org/Model", path: "/v1/model/ID", with: `"hugging_face_id":"org/Model"`},
		{key: "provider", value: "acme", path: "/v1/model/ID", with: `"owned_by":"acme"`},
		{key: "type", value: "embedding", model: map[string]string{"max_output_length": "1"}, path: "/v1/embeddings", body: `{"model":"ID","input":"x"}`, with: "POST /ID/v1/embeddings"},
		{key: "model_type", value: "embedding", model: map[string]string{"max_output_length": "1"}, path: "/v1/embeddings", body: `{"model":"ID","input":"x"}`, with: "POST /ID/v1/embeddings"},
		{key: "aliases", value: "[alias-of-ID]", body: `{"model":"alias-of-ID",` + user + `}`, with: "POST /ID/v1"},
		{key: "context_length", value: "12345", path: "/v1/model/ID", with: `"context_length":12345`},
		{key: "max_output_length", value: "17", body: `{"model":"ID","max_tokens":100,` + user + `}`, with: `"max_tokens":17`},
		{key: "input_modalities", value: "[text, image]", body: `{"model":"ID",` + picture + `}`, with: `data:image/png`},
		{key: "output_modalities", value: "[text, audio]", path: "/v1/model/ID", with: `"output_modalities":["text","audio"]`},
		{key: "quantization", value: "fp8", body: `{"model":"ID","provider":{"quantizations":["fp8"]},` + user + `}`, with: "POST /ID/v1"},
		{key: "supports_tools", value: "true", body: `{"model":"ID",` + user + tool + `}`, with: `"tools":[`},
		{key: "supports_structured_output", value: "true", body: `{"model":"ID",` + user + format + `}`, with: `"response_format":{`},
		{key: "supported_params", value: "[seed]", body: `{"model":"ID","seed":7,` + user + `}`, with: `"seed":7`},
		{key: "required_role", value: "internal", path: "/routing", without: `"ID":`},
		{key: "admin_only", value: "true", path: "/routing", without: `"ID":`},
	}
}

// sharedKeys are those of a route that a model may have for all of its routes.
func sharedKeys() []keyCase {
	thinks := map[string]string{"supported_params": "[temperature, max_tokens, reasoning, reasoning_effort, thinking]", "supports_tools": "true", "supports_structured_output": "true"}
	thought := `{"model":"ID","messages":[{"role":"user","content":"q"},{"role":"assistant","reasoning_details":[{"type":"reasoning.text","format":"anthropic-claude-v1","index":0,"text":"a","signature":"S"}],` +
		`"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"r"}],"reasoning":{"effort":"high"}}`
	return []keyCase{
		{key: "base_url", value: "UP/ID-moved/v1", with: "POST /ID-moved/v1/chat/completions"},
		{key: "api_key", value: "${KEY_A_API_KEY}", with: "Authorization: Bearer secret-of-a"},
		{key: "api_keys", value: `["${KEY_B_API_KEY}"]`, with: "Authorization: Bearer secret-of-b"},
		{key: "provider_model_id", value: "the-upstreams-own", with: `"model":"the-upstreams-own"`},
		{key: "region", value: "eu-north-1", route: map[string]string{"kind": "bedrock", "base_url": "UP/ID", "api_key": "${KEY_C_API_KEY}", "provider_model_id": "m"}, with: "/eu-north-1/bedrock/aws4_request"},
		{key: "pricing.prompt", value: "{prompt: 3}", with: `"cost":3`},
		{key: "pricing.completion", value: "{completion: 5}", with: `"cost":5`},
		{key: "pricing.input_cache_reads", value: "{prompt: 2, input_cache_reads: 1}", with: `"cost":1.5`},
		{key: "pricing.input_cache_writes", value: "{prompt: 0, completion: 0, input_cache_reads: 0, input_cache_writes: 7}", route: claude("claude-sonnet-5"), with: `"cost":7`},
		{key: "pricing.input_cache_writes_1h", value: "{prompt: 0, completion: 0, input_cache_reads: 0, input_cache_writes_1h: 11}", route: claude("claude-sonnet-5"), with: `"cost":11`},
		{key: "pricing.image", value: "{prompt: 0, completion: 0, input_cache_reads: 0, image: 13}", path: "/v1/models/ID/endpoints", with: `"image":"13"`},
		{key: "pricing.request", value: "{prompt: 0, completion: 0, input_cache_reads: 0, request: 17}", with: `"cost":17`},
		{key: "traits.max_tokens_field", value: "{max_tokens_field: max_completion_tokens}", model: thinks, body: `{"model":"ID","max_tokens":5,` + user + `}`, with: `"max_completion_tokens":5`},
		{key: "traits.sampling", value: "{sampling: never}", model: thinks, body: `{"model":"ID","temperature":0.5,` + user + `}`, without: `"temperature":0.5`},
		{key: "traits.efforts", value: "{efforts: [low]}", model: thinks, body: `{"model":"ID","reasoning_effort":"high",` + user + `}`, with: `"reasoning_effort":"low"`},
		{key: "traits.thinking", value: "{thinking: budget}", model: thinks, route: claude("claude-opus-4-7"), body: `{"model":"ID","reasoning":{"effort":"high"},` + user + `}`, with: `"budget_tokens":`},
		{key: "traits.thinking_default", value: "{thinking_default: off}", model: thinks, route: claude("claude-opus-5"), body: `{"model":"ID","reasoning":{"effort":"none"},` + user + `}`, without: `"type":"disabled"`},
		{key: "traits.thinking_off", value: "{thinking_off: lowest_effort}", model: thinks, route: claude("claude-opus-5"), body: `{"model":"ID","reasoning":{"effort":"none"},` + user + `}`, without: `"type":"disabled"`},
		{key: "traits.forced_tools", value: "{forced_tools: never}", model: thinks, body: `{"model":"ID","tool_choice":"required",` + user + tool + `}`, without: `"tool_choice":"required"`},
		{key: "traits.schema", value: "{schema: json_object}", model: thinks, body: `{"model":"ID",` + user + format + `}`, with: `"type":"json_object"`},
		{key: "traits.prefill", value: "{prefill: yes}", model: thinks, route: claude("claude-opus-4-7"), body: `{"model":"ID","messages":[{"role":"user","content":"q"},{"role":"assistant","content":"The an"}]}`, with: `"content":"The an"}]`},
		{key: "traits.system_messages", value: "{system_messages: anywhere}", model: thinks, body: `{"model":"ID","messages":[{"role":"user","content":"a"},{"role":"system","content":"b"},{"role":"user","content":"c"}]}`, with: `"role":"system"`},
		{key: "traits.thinking_binding", value: "{thinking_binding: yes}", model: thinks, route: claude("claude-opus-5"), body: thought, with: `"block_binding"`},
	}
}

// routeKeys are those that only a route has.
func routeKeys() []keyCase {
	return []keyCase{
		{key: "kind", value: "anthropic", model: map[string]string{"provider": "vllm"}, with: "POST /ID/v1/messages"},
		{key: "id", value: "east", path: "/routing", with: `"endpoint":"ID:east"`},
		{key: "weight", value: "0", without: "POST /ID/v1"},
		{key: "processor", value: "default", without: `"reasoning":"Hm."`},
		{key: "extra_body", value: "{colour: blue}", with: `"colour":"blue"`},
		{key: "extra_headers", value: "{X-Team: blue}", with: "X-Team: blue"},
		{key: "timeout", value: "0.1", body: `{"model":"ID","messages":[{"role":"user","content":"be slow"}]}`, without: "Pong"},
		{key: "optional", value: "true", route: map[string]string{"base_url": "http://${NOT_SET_ID}"}, path: "/admin/endpoints?out=true", without: "NOT_SET_ID is not set"},
		{key: "responses", value: "true", path: "/v1/responses", body: `{"model":"ID","input":"Ping"}`, with: "POST /ID/v1/responses"},
		{key: "api_version", value: "2025-04-01-preview", route: map[string]string{"kind": "azure", "base_url": "UP/ID/openai"}, with: "api-version=2025-04-01-preview"},
		{key: "zdr", value: "false", body: `{"model":"ID","provider":{"zdr":true},` + user + `}`, without: "POST /ID/v1"},
		{key: "data_collection", value: "allow", body: `{"model":"ID","provider":{"data_collection":"deny"},` + user + `}`, without: "POST /ID/v1"},
	}
}

// yaml is the case's model as a line of models.yaml. The key is in the model or
// in its route, or left out.
func (c *keyCase) yaml(id, up, where string) string {
	model := map[string]string{"id": id}
	route := map[string]string{"base_url": "UP/ID/v1"}
	maps.Copy(model, c.model)
	maps.Copy(route, c.route)
	key, _, _ := strings.Cut(c.key, ".")
	switch where {
	case "model":
		if key == "base_url" || key == "provider_model_id" {
			delete(route, key)
		}
		model[key] = c.value
	case "route":
		route[key] = c.value
	}
	if model["provider"] != "vllm" && route["kind"] == "" {
		route["kind"] = "vllm"
	}
	if key == "kind" && where == "" {
		delete(route, "kind")
	}
	model["route"] = "[" + mapping(route) + "]"
	return strings.NewReplacer("UP", up, "ID", id).Replace("  - " + mapping(model) + "\n")
}

func mapping(of map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		value := of[key]
		if strings.Contains(value, "$") && value[0] != '[' {
			value = `"` + value + `"`
		}
		parts = append(parts, key+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// happens is all that can be seen of the case's request.
func (c *keyCase) happens(g *gatewayUnderTest, p *provider, id string) string {
	body, method := strings.ReplaceAll(cmp.Or(c.body, `{"model":"ID",`+user+`}`), "ID", id), http.MethodPost
	if c.path != "" && c.body == "" {
		body, method = "", http.MethodGet
	}
	answer := g.do(method, strings.ReplaceAll(cmp.Or(c.path, chatPath), "ID", id), body)
	return answer + "\n" + p.seen(id) + "\n" + g.log.String()
}

// TestEveryKeyOfAModelDoesSomething sends requests to models that differ in one
// key, through the whole gateway, to a scripted upstream.
func TestEveryKeyOfAModelDoesSomething(t *testing.T) {
	p := startProvider(t)
	type one struct {
		keyCase
		place    string
		with, no string
	}
	var all []one
	models := "default_model: default\nmodels:\n  - {id: first, provider: demo}\n" + strings.ReplaceAll("  - {id: default, provider: vllm, base_url: UP/default/v1}\n", "UP", p.URL)
	add := func(place string, cases []keyCase) {
		for _, c := range cases {
			o := one{c, place, fmt.Sprintf("M%dW", len(all)), fmt.Sprintf("M%dN", len(all))}
			all = append(all, o)
			models += c.yaml(o.with, p.URL, place) + c.yaml(o.no, p.URL, "")
		}
	}
	add("model", modelKeys())
	add("model", sharedKeys())
	add("route", sharedKeys())
	add("route", routeKeys())
	g := startGateway(t, models, "", "KEY_A_API_KEY=secret-of-a", "KEY_B_API_KEY=secret-of-b", "KEY_C_API_KEY=AKIDOFC:secret-of-c")
	for _, c := range all {
		with, no := c.happens(g, p, c.with), c.happens(g, p, c.no)
		where := map[string]string{"model": "models[].", "route": "models[].route[]."}[c.place] + c.key
		text := func(s, id string) string { return strings.ReplaceAll(s, "ID", id) }
		if c.keyCase.with != "" && (!strings.Contains(with, text(c.keyCase.with, c.with)) || strings.Contains(no, text(c.keyCase.with, c.no))) ||
			c.without != "" && (strings.Contains(with, text(c.without, c.with)) || !strings.Contains(no, text(c.without, c.no))) {
			t.Errorf("%s: %s has no effect\nwith it:    %s\nwithout it: %s", where, c.value, shortened(with), shortened(no))
		}
	}
	if out := g.do(http.MethodPost, chatPath, "{"+user+"}"); !strings.HasPrefix(out, "200") || p.seen("default") == "" {
		t.Errorf("%s: %s", "default_model", out)
	}
}

// TestMaxConcurrencyOfARoute has a second request come while one runs.
func TestMaxConcurrencyOfARoute(t *testing.T) {
	p := startProvider(t)
	for limit, status := range map[string]string{"max_concurrency: 1": "503", "max_concurrency: 0": "200"} {
		g := startGateway(t, "models: [{id: m, route: [{kind: vllm, base_url: '"+p.URL+"/m/v1', "+limit+"}]}]", "")
		if out := during(`{"model":"m",` + user + `}`)(g); !strings.HasPrefix(out, status) {
			t.Errorf("%s: %s", limit, out)
		}
	}
}

// TestProviderLimitsOfARoute has a second request come while the first counts.
func TestProviderLimitsOfARoute(t *testing.T) {
	p := startProvider(t)
	for limit, status := range map[string]string{"rpm: 1": "429", "tpm: 20": "429", "rpm: 0, tpm: 0": "200", "rpm: 2": "200"} {
		g := startGateway(t, "models: [{id: m, route: [{kind: vllm, id: only, base_url: '"+p.URL+"/m/v1', "+limit+"}]}]", "")
		ask := func() string {
			return g.do(http.MethodPost, chatPath, `{"model":"m","max_tokens":9,`+user+`}`)
		}
		eventually.True(t, "shares are granted", func() bool { return strings.Contains(g.log.String(), "granting shares of limits") })
		eventually.True(t, "the first request is answered", func() bool { return strings.HasPrefix(ask(), "200") })
		out := ask()
		for strings.HasPrefix(out, "503") { // not decided in time
			out = ask()
		}
		if !strings.HasPrefix(out, status) || status == "429" && !strings.Contains(out, "limit of its provider") {
			t.Errorf("%s: %s", limit, out)
		}
		shown := g.do(http.MethodGet, "/admin/limits?of=endpoint:m:only", "")
		if has := strings.Contains(shown, `"holder":"endpoint","id":"m:only"`); has != strings.HasPrefix(shown, "200") || status == "429" && !strings.Contains(shown, `"state":"spent"`) && !strings.Contains(shown, `"kind":"tpm"`) {
			t.Errorf("%s: %s", limit, shown)
		}
		if out := g.do(http.MethodPut, "/admin/limits", `{"of":"endpoint:m:only","limits":[{"kind":"rpm","value":"5"}]}`); status == "429" && (!strings.HasPrefix(out, "400") || !strings.Contains(out, "models.yaml")) {
			t.Errorf("%s: %s", limit, out)
		}
	}
}

func shortened(s string) string { return s[:min(len(s), 3000)] }

// routingCase shows the effect of a key of routing.yaml on a model with an endpoint
// of our own, near, and one elsewhere, far, of equal weights.
type routingCase struct {
	// yes has the key, no has not, or has another value.
	key, yes, no string
	// with is seen with it only.
	with string
}

func routingCases() []routingCase {
	const (
		local = "local_deployment: [{endpoint: UP/near/v1, models: [m]}]\n"
		split = "routing_parameter: {local_fraction: 0.8}\n" + local + "remote_deployment: [{endpoint: UP/far/v1, models: [m]}]\n"
		down  = `is out of service`
	)
	return []routingCase{
		{"routing_strategy", "routing_strategy: other\n" + split, split, "m:near weighs 1,"},
		{"default_router", "default_router: other\n" + split, split, "m:near weighs 1,"},
		{"routing_parameter.local_fraction", split, strings.Replace(split, "0.8", "0.5", 1), "m:near weighs 0.8,"},
		{"local_deployment", split, split[strings.Index(split, "remote_"):], "m:near weighs 0.8,"},
		{"local_deployment[].endpoint", split, strings.Replace(split, "/near/", "/nowhere/", 1), "m:near weighs 0.8,"},
		{"local_deployment[].models", split, strings.Replace(split, "/near/v1, models: [m]", "/near/v1, models: [other]", 1), "m:near weighs 0.8,"},
		{"remote_deployment", split, "routing_parameter: {local_fraction: 0.8}\n" + local, "m:far weighs 0.2,"},
		{"remote_deployment[].endpoint", split, strings.Replace(split, "/far/", "/nowhere/", 1), "m:far weighs 0.2,"},
		{"remote_deployment[].models", split, strings.Replace(split, "/far/v1, models: [m]", "/far/v1, models: [other]", 1), "m:far weighs 0.2,"},
		{"health_check", "health_check: 0.1\n" + local, local, "GET /health\n"},
		{"health_check.interval", "health_check: {interval: 0.1, path: /i}\n" + local, "health_check: {interval: 0, path: /i}\n" + local, "GET /i\n"},
		{"health_check.path", "health_check: {interval: 0.1, path: /own}\n" + local, "health_check: 0.1\n" + local, "GET /own\n"},
		{"health_check.statuses", "health_check: {interval: 0.1, path: /teapot, statuses: [200]}\n" + local, "health_check: {interval: 0.1, path: /teapot, statuses: [418]}\n" + local, down},
		{"timeout", "timeout: 0.1\nhealth_check: {interval: 0.1, path: /late}\n" + local, "health_check: {interval: 0.1, path: /late}\n" + local, down},
	}
}

// TestEveryKeyOfRoutingDoesSomething starts the whole gateway with and without each.
func TestEveryKeyOfRoutingDoesSomething(t *testing.T) {
	for _, c := range routingCases() {
		t.Run(c.key, func(t *testing.T) {
			t.Parallel()
			yes, no := routed(t, c.yes, c.with), routed(t, c.no, "")
			if !strings.Contains(yes, c.with) || strings.Contains(no, c.with) {
				t.Errorf("%s has no effect\nwith it:    %s\nwithout it: %s", c.key, shortened(yes), shortened(no))
			}
		})
	}
}

// routed is what can be seen of a routing.yaml: weights, probes, what is out of
// service. It waits for a text if there is one, else for a moment in which a probe
// would have come.
func routed(t *testing.T, routing, text string) (seen string) {
	t.Helper()
	p := startProvider(t)
	up := strings.NewReplacer("UP", p.URL)
	g := startGateway(t, up.Replace("models: [{id: other, provider: demo}, {id: m, route: [{id: near, kind: vllm, base_url: UP/near/v1}, {id: far, kind: vllm, base_url: UP/far/v1}]}]"), up.Replace(routing))
	look := func() string {
		var out strings.Builder
		for _, e := range g.endpoints() {
			_, _ = fmt.Fprintf(&out, "%s weighs %v, ", e.Endpoint, e.Weight)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return out.String() + fmt.Sprint(p.requests) + g.log.String()
	}
	if text == "" {
		time.Sleep(600 * time.Millisecond) // what must not happen has no condition
		return look()
	}
	for range 500 {
		if seen = look(); strings.Contains(seen, text) {
			return seen
		}
		time.Sleep(10 * time.Millisecond)
	}
	return seen
}

type endpointOfList struct {
	Endpoint string
	Weight   float64
}

func (g *gatewayUnderTest) endpoints() (list []endpointOfList) {
	g.t.Helper()
	_, body, _ := strings.Cut(g.do(http.MethodGet, "/admin/weights", ""), "\r\n[")
	if body == "" {
		body = "]"
	}
	if err := json.Unmarshal([]byte("["+body), &list); err != nil {
		g.t.Fatalf("%v: %s", err, body)
	}
	return list
}
