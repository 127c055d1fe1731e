package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// catalog is a few models that differ in everything that can be asked for.
func catalog(t *testing.T) []wire.Model {
	t.Helper()
	up := answering(t, "x")
	a := model("acme/small", priced(endpoint("acme/small:x", "vllm", up), 1, "0.1"))
	a.Name, a.Description, a.ContextLength, a.Pricing, a.Created = "Small Llama-3", "small and quick", 8192, wire.Pricing{Prompt: "0.1", Completion: "0.2", CacheRead: "0.01"}, 1_700_000_000
	b := model("acme/large", priced(endpoint("acme/large:x", "sglang", up), 1, "3"), priced(endpoint("acme/large:y", "deepseek", "https://api.test"), 1, "2"))
	b.Name, b.ContextLength, b.Pricing, b.Created, b.InputModalities = "Large", 131072, wire.Pricing{Prompt: "3", Completion: "9"}, 1_720_000_000, []string{"text", "image"}
	b.Aliases, b.SupportsTools, b.Quantization = []string{"large"}, true, "fp8"
	c := model("demo", endpoint("demo:d", "demo", ""))
	c.Created, c.Pricing, c.SupportsTools, c.RequiredRole = 1_710_000_000, wire.Pricing{Prompt: "0", Completion: "0"}, false, "internal"
	e := model("embed", priced(endpoint("embed:x", "vllm", up), 1, "0.02"))
	e.Type, e.SupportedParameters = "embedding", []string{"temperature"}
	dead := model("dead", endpoint("dead:x", "vllm", up))
	dead.Endpoints[0].Weight = 0
	return []wire.Model{a, b, c, e, dead}
}

type listed struct {
	Data []struct {
		ID string `json:"id"`
	}
	Total int `json:"total_count"`
	Links struct{ Next *string }
}

func (l listed) ids() string {
	var out []string
	for _, m := range l.Data {
		out = append(out, m.ID)
	}
	return strings.Join(out, " ")
}

func TestModelsAreFiltered(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	c := openContract(t)
	f := func(query, want string) {
		t.Helper()
		r := n.do("GET", "/v1/models"+query, "")
		c.holds("ModelsListResponse", r.body)
		got := decode[listed](t, r, 200)
		if got.ids() != want || got.Total != len(got.Data) || got.Links.Next != nil {
			t.Errorf("%s gives %q of %d, want %q", query, got.ids(), got.Total, want)
		}
		count := decode[struct{ Data struct{ Count int } }](t, n.do("GET", "/v1/models/count"+query, ""), 200)
		if count.Data.Count != got.Total {
			t.Errorf("count%s is %d, the list has %d", query, count.Data.Count, got.Total)
		}
	}
	const all = "acme/small acme/large demo"
	f("", all)
	f("?output_modalities=text", all)
	f("?output_modalities=embeddings", "embed")
	f("?output_modalities=image,embeddings", "embed")
	f("?output_modalities=all", all+" embed")
	f("?input_modalities=image", "acme/large")
	f("?supported_parameters=tools", "acme/small acme/large")
	f("?supported_parameters=tools,%20temperature", "acme/small acme/large")
	f("?supported_parameters=top_k", "")
	f("?q=LARGE", "acme/large")
	f("?q=llama", "acme/small")
	f("?context=10000", "acme/large")
	f("?max_price=0.1", "acme/small demo")
	f("?min_price=0.05&max_price=1", "acme/small")
	f("?min_output_price=9", "acme/large")
	f("?max_output_price=0.2", "acme/small demo")
	f("?arch=llama", "acme/small")
	f("?arch=Llama3,GPT", "acme/small")
	f("?model_authors=acme", "acme/small acme/large")
	f("?providers=DeepSeek", "acme/large")
	f("?providers=DEMO,vllm", "acme/small demo")
	f("?zdr=true", all) // each has a server of its own
	f("?distillable=false", all)
	f("?distillable=true", "")
	f("?region=eu", "")
	f("?category=science", "")
	f("?min_intelligence_index=10", "")
	f("?max_age_days=100000&min_age_days=0", all)
	f("?sort=pricing-low-to-high", "demo acme/small acme/large")
	f("?sort=pricing-high-to-low", "acme/large acme/small demo")
	f("?sort=context-high-to-low", "acme/large acme/small demo")
	f("?sort=newest", "acme/large demo acme/small")
	f("?sort=intelligence-high-to-low", all)
	f("?offset=0&limit=100", all)
	if got := content(t, n.chat(with(`"model":"acme/large","provider":{"only":["sglang"]}`))); got != "x" {
		t.Fatal(got)
	}
	f("?sort=most-popular", "acme/large acme/small demo")
	f("?sort=latency-low-to-high", "acme/large acme/small demo")
	f("?sort=throughput-high-to-low", "acme/large acme/small demo")
}

func TestWrongQueriesAreNamed(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	c := openContract(t)
	for _, query := range []string{
		"offset=-1", "offset=x", "offset=1.5", "limit=0", "limit=1001", "limit=a", "sort=random", "category=magic", "region=moon", "zdr=false", "distillable=maybe",
		"context=big", "min_price=-1", "max_price=NaN", "min_output_price=x", "max_output_price=x", "min_age_days=x", "min_coding_index=x", "use_rss=true",
	} {
		name, _, _ := strings.Cut(query, "=")
		r := n.do("GET", "/v1/models?"+query, "")
		c.holds("BadRequestResponse", r.body)
		if r.StatusCode != 400 || !strings.Contains(r.body, `"message":"`+name+`: must be`) {
			t.Errorf("%s: %d %s", query, r.StatusCode, r.body)
		}
	}
}

func TestModelsComeInPages(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	path, ids, pages := "/api/v1/models?limit=2&sort=newest&output_modalities=all", "", 0
	for path != "" {
		got := decode[listed](t, n.do("GET", path, ""), 200)
		if got.Total != 4 {
			t.Errorf("%s: total %d", path, got.Total)
		}
		ids += got.ids() + " "
		pages++
		path = ""
		if got.Links.Next != nil {
			path = *got.Links.Next
		}
	}
	if ids != "acme/large demo acme/small embed " || pages != 2 {
		t.Errorf("%d pages: %q", pages, ids)
	}
	if got := decode[listed](t, n.do("GET", "/v1/models?offset=50", ""), 200); len(got.Data) != 0 || got.Total != 3 || got.Links.Next != nil {
		t.Errorf("beyond the end: %+v", got)
	}
}

func TestModelsHaveEveryMember(t *testing.T) {
	models := catalog(t)
	models[1].Pricing = wire.Pricing{
		Prompt: "2.5", Completion: "10", CacheRead: "0.25", Image: "0.01", WebSearch: "0.02",
		Overrides: []wire.PriceOverride{{MinPromptTokens: 200_001, Prices: wire.Pricing{Prompt: "5"}}, {ServiceTier: "flex", Multiplier: "0.5"}},
	}
	models[2].Pricing = wire.Pricing{}
	n := start(t, nodeOptions{}, models...)
	r := n.do("GET", "/v1/models?output_modalities=all", "")
	got := decode[struct{ Data []map[string]any }](t, r, 200)
	for _, m := range got.Data {
		for _, key := range []string{
			"id", "canonical_slug", "name", "created", "pricing", "context_length", "architecture", "top_provider", "per_request_limits", "supported_parameters",
			"default_parameters", "supported_voices", "links", "description", "hugging_face_id", // OpenRouter's
			"object", "owned_by", "input_modalities", "output_modalities", "quantization", "max_output_length", "supported_sampling_parameters", "supported_features", "openrouter", // the reference's
		} {
			if _, ok := m[key]; !ok {
				t.Errorf("%v lacks %s", m["id"], key)
			}
		}
	}
	pricing, _ := got.Data[0]["pricing"].(map[string]any)
	if pricing["prompt"] != "0.0000001" || pricing["completion"] != "0.0000002" || pricing["input_cache_read"] != "0.00000001" || pricing["input_cache_reads"] != "0.00000001" {
		t.Errorf("pricing %v", pricing)
	}
	want := map[string]any{
		"prompt": "0.0000025", "completion": "0.00001", "request": "0", "image": "0.01", "web_search": "0.02", "input_cache_read": "0.00000025", "input_cache_write": "0.0000025",
		"overrides":         []any{map[string]any{"min_prompt_tokens": 200000., "prompt": "0.000005", "input_cache_write": "0.000005"}},
		"input_cache_reads": "0.00000025", "input_cache_writes": "0.0000025",
	}
	if !reflect.DeepEqual(got.Data[1]["pricing"], want) {
		t.Errorf("pricing %v,\nwant    %v", got.Data[1]["pricing"], want)
	}
	if p, _ := got.Data[2]["pricing"].(map[string]any); p["prompt"] != "-1" || p["completion"] != "-1" {
		t.Errorf("a model without prices shows %v", p)
	}
	// only what both endpoints take
	if p := fmt.Sprint(got.Data[1]["supported_parameters"]); !strings.Contains(p, "tools") || strings.Contains(p, "logit_bias") {
		t.Errorf("parameters %s", p)
	}
	if p := fmt.Sprint(got.Data[3]["supported_parameters"], got.Data[3]["output_modalities"]); p != "[] [embeddings]" {
		t.Errorf("the embedding model takes and gives %s", p)
	}
}

func TestOneModel(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	c := openContract(t)
	f := func(path, id string) {
		t.Helper()
		r := n.do("GET", path, "")
		c.holds("ours.json#/model", r.body)
		got := decode[struct{ Data struct{ ID string } }](t, r, 200)
		if got.Data.ID != id {
			t.Errorf("%s is %q", path, got.Data.ID)
		}
	}
	for _, base := range []string{"/v1", "/api/v1"} {
		f(base+"/model/acme/large", "acme/large")
		f(base+"/model/acme%2Flarge", "acme/large")
		f(base+"/model/large", "acme/large")
		f(base+"/model/acme/large:nitro", "acme/large")
		f(base+"/model/demo/", "demo")
	}
	for _, path := range []string{"/v1/models/acme%2Fsmall", "/v1/models/acme/small"} { // as OpenAI's clients ask
		r := n.do("GET", path, "")
		c.holds("Model", r.body)
		if got := decode[struct{ ID, Object string }](t, r, 200); got.ID != "acme/small" || got.Object != "model" {
			t.Errorf("%s: %s", path, r.body)
		}
	}
	for _, path := range []string{"/v1/model/acme/none", "/v1/models/none", "/v1/models/acme/none/endpoints", "/v1/model/"} {
		r := n.do("GET", path, "")
		c.holds("NotFoundResponse", r.body)
		if r.StatusCode != 404 {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	if r := n.do("POST", "/v1/models/acme/small", ""); r.StatusCode != 405 {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestEndpointsShowWhatWasMeasured(t *testing.T) {
	n := start(t, nodeOptions{}, model("acme/m", endpoint("acme/m:up", "vllm", answering(t, "x")), endpoint("acme/m:down", "vllm", "http://127.0.0.1:1"), endpoint("acme/m:new", "sglang", answering(t, "x"))))
	c := openContract(t)
	for _, pin := range []string{"up", "up", "down"} {
		n.chat(ping, "X-Route-Pin", pin)
	}
	type page struct {
		Data struct {
			ID        string
			Endpoints []struct {
				Tag        string
				Provider   string   `json:"provider_name"`
				Uptime     *float64 `json:"uptime_last_5m"`
				Day        *float64 `json:"uptime_last_1d"`
				Latency    *struct{ P50, P75, P90, P99 float64 }
				Latency30  *struct{ P50 float64 } `json:"latency_last_30m"`
				Throughput *struct{ P50 float64 } `json:"throughput_last_30m"`
				Params     []string               `json:"supported_parameters"`
				Choice     map[string]bool        `json:"supports_tool_choice"`
				Status     int
			}
		}
	}
	for _, path := range []string{"/v1/models/acme/m/endpoints", "/api/v1/models/acme%2Fm/endpoints/"} {
		r := n.do("GET", path, "")
		c.holds("ours.json#/endpoints", r.body)
		got := decode[page](t, r, 200)
		if got.Data.ID != "acme/m" || len(got.Data.Endpoints) != 3 {
			t.Fatalf("%s: %s", path, r.body)
		}
		up, down, fresh := got.Data.Endpoints[0], got.Data.Endpoints[1], got.Data.Endpoints[2]
		if up.Tag != "up" || up.Uptime == nil || *up.Uptime != 100 || up.Latency30 == nil || up.Latency30.P50 <= 0 || up.Throughput == nil || up.Throughput.P50 <= 0 || !up.Choice["required"] || len(up.Params) == 0 {
			t.Errorf("the one that answered: %+v", up)
		}
		if down.Uptime == nil || *down.Uptime != 0 || down.Day == nil || down.Latency30 != nil {
			t.Errorf("the one that is down: %+v", down)
		}
		if fresh.Uptime != nil || fresh.Latency30 != nil || fresh.Throughput != nil {
			t.Errorf("the one that nobody asked: %+v", fresh)
		}
	}
	if got := decode[struct{ Data []struct{ Tag string } }](t, n.do("GET", "/v1/endpoints/zdr", ""), 200); len(got.Data) != 3 {
		t.Errorf("endpoints without retention: %+v", got)
	}
	got := decode[struct {
		Data []struct {
			Name, Slug string
		}
	}](t, n.do("GET", "/v1/providers", ""), 200)
	if fmt.Sprint(got.Data) != "[{SGLANG sglang} {VLLM vllm}]" {
		t.Errorf("providers %v", got.Data)
	}
}

func TestTheTagIsASlug(t *testing.T) {
	n := start(t, nodeOptions{}, threeWays(t))
	got := decode[struct {
		Data struct{ Endpoints []struct{ Tag string } }
	}](t, n.do("GET", "/v1/models/m/endpoints", ""), 200)
	for _, e := range got.Data.Endpoints {
		if name := content(t, n.chat(with(`"provider":{"only":["`+e.Tag+`"]}`))); name != e.Tag {
			t.Errorf("only %s is answered by %s", e.Tag, name)
		}
	}
}

func TestAnthropicClientsGetTheirList(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	type list struct {
		Data []struct {
			Type, ID  string
			Display   string `json:"display_name"`
			CreatedAt string `json:"created_at"`
		}
		HasMore *bool   `json:"has_more"`
		First   *string `json:"first_id"`
		Last    *string `json:"last_id"`
	}
	f := func(path string, headers ...string) {
		t.Helper()
		got := decode[list](t, n.do("GET", path, "", headers...), 200)
		if len(got.Data) != 3 || got.Data[0].Type != "model" || got.Data[0].CreatedAt != "2023-11-14T22:13:20Z" || got.Data[0].Display != "Small Llama-3" ||
			got.HasMore == nil || *got.HasMore || *got.First != "acme/small" || *got.Last != "demo" {
			t.Errorf("%s %v: %+v", path, headers, got)
		}
	}
	f("/v1/models", "Anthropic-Version", "2023-06-01")
	f("/api/v1/models", "Anthropic-Version", "2023-06-01")
	f("/v1/models", "User-Agent", "anthropic-sdk-python/1.0")
	f("/v1/models", "User-Agent", "Anthropic/JS 0.60")
	f("/v1/models", "User-Agent", "claude-cli/2.0 (external)")
	f("/anthropic/v1/models")
	if got := decode[struct{ Type, ID string }](t, n.do("GET", "/v1/models/acme/large", "", "Anthropic-Version", "2023-06-01"), 200); got.Type != "model" || got.ID != "acme/large" {
		t.Errorf("one model %+v", got)
	}
	if got := decode[listed](t, n.do("GET", "/models", "", "Anthropic-Version", "2023-06-01"), 200); got.Total != 3 {
		t.Errorf("the reference's alias: %+v", got)
	}
}

func TestPagesKeepToTheKey(t *testing.T) {
	keys := map[string]wire.Key{
		"boss": {ID: "k1", Role: "admin", Name: "Boss", User: "ann"}, "user": {ID: "k2", Name: "User", User: "bob", Expires: 4_000_000_000},
		"narrow": {ID: "k3", Role: "pro", Models: []string{"acme/small", "demo"}},
	}
	n := start(t, guarded(keys), catalog(t)...)
	f := func(key, path, want string) {
		t.Helper()
		if got := decode[listed](t, n.do("GET", path, "", "Authorization", "Bearer "+key), 200); got.ids() != want {
			t.Errorf("%s gets %q at %s, want %q", key, got.ids(), path, want)
		}
	}
	f("boss", "/v1/models", "acme/small acme/large demo")
	f("user", "/v1/models", "acme/small acme/large")
	f("user", "/v1/models/user", "acme/small acme/large")
	f("narrow", "/v1/models", "acme/small")
	f("narrow", "/v1/models?sort=newest", "acme/small")
	f("user", "/v1/embeddings/models", "embed")
	f("narrow", "/v1/embeddings/models", "")
	hidden := map[string]int{"/v1/model/demo": 404, "/v1/models/demo": 404, "/v1/models/demo/endpoints": 404, "/v1/credits": 403, "/v1/model/acme/small": 200}
	for path, status := range hidden {
		if r := n.do("GET", path, "", "X-API-Key", "user"); r.StatusCode != status {
			t.Errorf("user at %s: %d %s", path, r.StatusCode, r.body)
		}
	}
	for _, path := range []string{"/v1/models", "/v1/models/count", "/v1/key", "/v1/credits", "/v1/providers", "/v1/generation?id=x", "/v1/model/acme/small", "/v1/models/acme/small/endpoints"} {
		r := n.do("GET", path, "")
		openContract(t).holds("UnauthorizedResponse", r.body)
		if r.StatusCode != 401 {
			t.Errorf("nobody at %s: %d", path, r.StatusCode)
		}
	}
}

func TestKeyAndCredits(t *testing.T) {
	keys := map[string]wire.Key{"boss": {ID: "k1", Role: "admin"}, "user": {ID: "k2", Name: "Bob's", User: "bob", Expires: 4_000_000_000}}
	o := guarded(keys)
	n := start(t, o, threeWays(t))
	c := openContract(t)
	content(t, n.chat(with(`"model":"m"`), "X-API-Key", "user"))
	n.load(o.keys, threeWays(t)) // what was spent outlives releases and key tables
	for _, path := range []string{"/v1/key", "/api/v1/auth/key"} {
		r := n.do("GET", path, "", "X-API-Key", "user")
		c.holds("#/paths/~1key/get/responses/200/content/application~1json/schema", r.body)
		c.holds("ours.json#/sdkKey", r.body)
		got := decode[struct{ Data map[string]any }](t, r, 200).Data
		want := map[string]any{
			"label": "Bob's", "creator_user_id": "bob", "usage": 0.0033, "usage_daily": 0.0033, "usage_weekly": 0.0033, "usage_monthly": 0.0033, "limit": nil,
			"is_free_tier": true, "is_management_key": false, "expires_at": "2096-10-02T07:06:40Z", "organization_id": nil, "workspace_id": nil,
		}
		for key, v := range want {
			if got, ok := got[key]; !ok || fmt.Sprint(got) != fmt.Sprint(v) {
				t.Errorf("%s is %v, want %v", key, got, v)
			}
		}
	}
	got := decode[struct{ Data map[string]float64 }](t, n.do("GET", "/v1/credits", "", "X-API-Key", "boss"), 200).Data
	if got["total_usage"] != 0.0033 || len(got) != 2 {
		t.Errorf("credits %v", got)
	}
	if r := n.do("GET", "/v1/key", "", "X-API-Key", "boss"); !strings.Contains(r.body, `"label":"k1"`) || !strings.Contains(r.body, `"is_management_key":true`) || !strings.Contains(r.body, `"expires_at":null`) {
		t.Errorf("%s", r.body)
	}
}

func TestTheFleetKnowsMoreOfAKey(t *testing.T) {
	keys := map[string]wire.Key{"boss": {ID: "k1", Role: "admin"}}
	o := guarded(keys)
	o.gateway.Spent = func(id string) (snapshot.Spent, bool) { return snapshot.Spent{Total: 5e12, Day: 1e12}, id != "k2" }
	n := start(t, o, threeWays(t))
	if r := n.do("GET", "/v1/key", "", "X-API-Key", "boss"); !strings.Contains(r.body, `"usage":5,"usage_daily":1,"usage_weekly":0`) {
		t.Errorf("%s", r.body)
	}
	if r := n.do("GET", "/v1/credits", "", "X-API-Key", "boss"); !strings.Contains(r.body, `"total_usage":5`) {
		t.Errorf("%s", r.body)
	}
}

func TestKeyWithBudget(t *testing.T) {
	o := guarded(map[string]wire.Key{
		"month": {ID: "k1", User: "ada", Limits: []wire.Limit{{Kind: "budget", Value: 1e12, Reset: "day", Model: "m"}, {Kind: "budget", Value: 12.5e12, Reset: "month"}, {Kind: "rpm", Value: 600}}},
		"over":  {ID: "k2", User: "bob", Limits: []wire.Limit{{Kind: "budget", Value: 2e12, Reset: "day"}}},
		"total": {ID: "k3", User: "bob", Limits: []wire.Limit{{Kind: "budget", Value: 9e12, Reset: "total"}}},
		"free":  {ID: "k4", User: "bob", Limits: []wire.Limit{{Kind: "rpm", Value: 5, Model: "m"}}},
	})
	o.keys.Users = map[string][]wire.Limit{"ada": {{Kind: "rpm", Value: 60}, {Kind: "budget", Value: 1, Reset: "day"}}}
	o.gateway.Spent = func(string) (snapshot.Spent, bool) {
		return snapshot.Spent{Total: 5e12, Day: 3e12, Month: 4.25e12}, true
	}
	n := start(t, o, threeWays(t))
	c := openContract(t)
	f := func(key, want, requests string) {
		t.Helper()
		r := n.do("GET", "/v1/key", "", "X-API-Key", key)
		c.holds("#/paths/~1key/get/responses/200/content/application~1json/schema", r.body)
		c.holds("ours.json#/sdkKey", r.body)
		if !strings.Contains(r.body, want) || !strings.Contains(r.body, `"rate_limit":{"requests":`+requests+`,"interval":"1m"`) {
			t.Errorf("%s: %s, want %s and %s requests", key, r.body, want, requests)
		}
	}
	f("month", `"limit":12.5,"limit_reset":"monthly","limit_remaining":8.25`, "60")
	f("over", `"limit":2,"limit_reset":"daily","limit_remaining":0,`, "-1")
	f("total", `"limit":9,"limit_reset":null,"limit_remaining":4,`, "-1")
	f("free", `"limit":null,"limit_reset":null,"limit_remaining":null`, "-1")
}

// The usage event names the team, through the user as well.
func TestUsageNamesTheTeam(t *testing.T) {
	o := guarded(map[string]wire.Key{"member": {ID: "k1", User: "ada", Team: "t_1"}, "alone": {ID: "k2", User: "bob"}})
	o.keys.Teams = []wire.Team{{ID: "t_1", Name: "search"}}
	n := start(t, o, threeWays(t))
	for i, want := range []struct{ key, team string }{{"member", "t_1"}, {"alone", ""}} {
		content(t, n.chat(with(`"model":"m"`), "X-API-Key", want.key))
		if got := n.event(i).TeamID; got != want.team {
			t.Errorf("%s: team %q, want %q", want.key, got, want.team)
		}
	}
}

func TestGenerations(t *testing.T) {
	keys := map[string]wire.Key{
		"boss": {ID: "k1", Role: "admin"}, "user": {ID: "k2", User: "bob", Role: "internal"}, "same": {ID: "k3", User: "bob"}, "other": {ID: "k4", User: "eve"},
	}
	o := guarded(keys)
	o.gateway.Generation = func(_ context.Context, id string) *wire.Usage {
		if id != "gen-1-elsewhere" {
			return nil
		}
		return &wire.Usage{RequestID: id, KeyID: "k4", Model: "there", End: wire.EndClientGone, FirstTokenMS: -1}
	}
	n := start(t, o, catalog(t)...)
	c := openContract(t)
	streams := n.chat(with(`"model":"demo","stream":true,"demo_delay_ms":0,"user":"end-user","service_tier":"flex"`), "X-API-Key", "user", "HTTP-Referer", "https://app.test", "X-Session-Id", "s1")
	whole := n.chat(with(`"model":"acme/small"`), "X-API-Key", "user")
	ask := func(key, id string) reply {
		return n.do("GET", "/v1/generation?id="+url.QueryEscape(id), "", "X-API-Key", key)
	}
	for _, key := range []string{"user", "same", "boss"} {
		r := ask(key, streams.Header.Get("X-Generation-Id")) // at once, without waiting for anything
		c.holds("GenerationResponse", r.body)
		got := decode[struct{ Data map[string]any }](t, r, 200).Data
		want := map[string]any{
			"id": streams.Header.Get("X-Generation-Id"), "model": "demo", "provider_name": "DEMO", "streamed": true, "cancelled": false, "finish_reason": "stop",
			"external_user": "end-user", "service_tier": "flex", "http_referer": "https://app.test", "session_id": "s1", "api_type": "completions",
		}
		for key, v := range want {
			if got[key] != v {
				t.Errorf("%s is %v, want %v", key, got[key], v)
			}
		}
		if len(got) < 45 {
			t.Errorf("%d members", len(got))
		}
	}
	r := ask("user", whole.Header.Get("X-Generation-Id"))
	c.holds("GenerationResponse", r.body)
	got := decode[struct {
		Data struct {
			Cost     json.Number `json:"total_cost"`
			Prompt   int         `json:"native_tokens_prompt"`
			Attempts []struct {
				Endpoint string `json:"endpoint_id"`
				Status   int
			} `json:"provider_responses"`
		}
	}](t, r, 200).Data
	if got.Cost != "0.00011" || got.Prompt != 1000 || len(got.Attempts) != 1 || got.Attempts[0].Endpoint != "acme/small:x" || got.Attempts[0].Status != 200 {
		t.Errorf("%s", r.body)
	}
	for _, id := range []string{streams.Header.Get("X-Generation-Id"), "gen-1-nobody", "'"} {
		r := ask("other", id)
		c.holds("NotFoundResponse", r.body)
		if r.StatusCode != 404 || !strings.Contains(r.body, "not found") {
			t.Errorf("other asks for %q: %d %s", id, r.StatusCode, r.body)
		}
	}
	r = ask("other", "gen-1-elsewhere")
	c.holds("GenerationResponse", r.body)
	if !strings.Contains(r.body, `"model":"there"`) || !strings.Contains(r.body, `"cancelled":true`) {
		t.Errorf("%s", r.body)
	}
	if r := ask("user", ""); r.StatusCode != 400 || !strings.Contains(r.body, "id: required") {
		t.Errorf("without an id: %d %s", r.StatusCode, r.body)
	}
}

// Embeddings and what was refused have a generation, too.
func TestGenerationsOfEveryKind(t *testing.T) {
	n := start(t, nodeOptions{}, catalog(t)...)
	c := openContract(t)
	r := n.chat(with(`"model":"nobody"`))
	got := n.do("GET", "/v1/generation?id="+r.Header.Get("X-Generation-Id"), "")
	c.holds("GenerationResponse", got.body)
	if !strings.Contains(got.body, `"provider_name":null`) || !strings.Contains(got.body, `"total_cost":0`) {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
}
