package requestlogtest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// Spoil makes an event that passes NewRow but violates a constraint.
type Spoil func(u *wire.Usage)

// Apply changes u.
func (s Spoil) Apply(u *wire.Usage) { s(u) }

func rejections() map[string]Spoil {
	return map[string]Spoil{
		"negative latency": func(u *wire.Usage) { u.LatencyMS = -1 },
		"negative tokens":  func(u *wire.Usage) { u.UsageSource, u.CompletionTokens = wire.UsageProvider, -5 },
		"status":           func(u *wire.Usage) { u.Status = 1 << 40 },
	}
}

// selectRow reads columns of the one row that there is.
func selectRow(t *testing.T, db *Database, want map[string]string) {
	t.Helper()
	for column, value := range want {
		table := db.Query(t, "SELECT "+column+" FROM api_logs")
		if len(table) != 1 || table[0][0] != value {
			t.Errorf("%s: %q, want [[%q]]", column, table, value)
		}
	}
}

func testColumns(t *testing.T, db *Database) {
	s := db.Open(t)
	u := &wire.Usage{
		V: 1, RequestID: "gen-1779760223-foBbuEEOlNTnG2IMQeB5", HTTPRequestID: "mine-1", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7", Node: "node-1", Epoch: 1779000000, Release: 12,
		// the request came in just before the second of its id
		Time: 1779760222999999, FirstTokenMS: 180, LatencyMS: 950, QueuedMS: 33, KeyID: "k_7", UserID: "ada", TeamID: "t_3", API: "chat",
		RequestedModel: "demo:nitro", Model: "demo", Endpoint: "demo:local-8000", Provider: "vLLM", UpstreamModel: "/models/demo",
		UpstreamID: "chatcmpl-1", Attempts: []wire.Attempt{{Endpoint: "demo:a", Status: 503, Kind: "overloaded", MS: 12}, {Endpoint: "demo:local-8000", Status: 200, MS: 900}},
		Stream: true, Status: 200, FinishReason: "stop", NativeFinishReason: "eos", End: wire.EndComplete,
		PromptTokens: 1 << 40, CompletionTokens: 80, ReasoningTokens: 20, CacheReadTokens: 1000, CacheWriteTokens: 100,
		UsageSource: wire.UsageProvider, CostUSD: "0.000123", UpstreamCostUSD: "0.0001",
		Shadow: true, ShadowOf: "gen-1779760222-b", ToolCalls: 3, JSONOutput: wire.JSONInvalid,
		CacheWrite1hTokens: 40, InputImageTokens: 41, OutputImageTokens: 42, InputAudioTokens: 43, CachedAudioTokens: 44, OutputAudioTokens: 45, InputImages: 46,
		OutputImages: 47, WebSearches: 48, ServerToolCalls: 49, ServiceTier: "flex", BYOK: true, HedgedEndpoint: "demo:b", HedgedCostUSD: "0.00005", CostSource: "list", PriceVersion: "9a3f00c1d2e4",
		Params:    json.RawMessage(` {"temperature":0.5, "top_p":1,"max_completion_tokens":64,"seed":9007199254740993,"stop":["\u00e9","</s>"]}`),
		UserAgent: "curl/8 \"x\"\n", ClientIP: "127.0.0.1", SessionID: "s", AppTitle: "Café", Referer: "https://example.org", Error: "none 'really'",
	}
	r, err := requestlog.NewRow(u, requestlog.Origin{SpoolEpoch: "e-1", Seq: 1 << 60, Extra: []byte(`{"later":[1]}`)})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, s, []*requestlog.Row{r}, 1)
	want := map[string]string{
		"shadow": "1", "shadow_of": "gen-1779760222-b", "tool_calls": "3", "json_valid": "0",
		"cache_write_1h_tokens": "40", "input_image_tokens": "41", "output_image_tokens": "42", "input_audio_tokens": "43", "cached_audio_tokens": "44",
		"output_audio_tokens": "45", "input_images": "46", "output_images": "47", "web_searches": "48", "server_tool_calls": "49", "service_tier": "flex",
		"hedged_endpoint": "demo:b", "hedged_cost_usd": "0.00005", "cost_source": "list", "price_version": "9a3f00c1d2e4", "is_byok": "1", "params->>'stop'": `["é","\u003c/s\u003e"]`,
		"coalesce(original_price_version, 'none')": "none", "coalesce(CAST(repriced_at AS TEXT), 'none')": "none", "coalesce(CAST(original_cost_usd AS TEXT), 'none')": "none",
		"request_id": u.RequestID, "http_request_id": "mine-1", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "timestamp": "2026-05-26T01:50:23Z", "received_at": "2026-05-26T01:50:22.999999Z",
		"node": "node-1", "release_epoch": "1779000000", "release": "12", "spool_epoch": "e-1", "CAST(seq AS TEXT)": "1152921504606846976",
		"key_id": "k_7", "user_id": "ada", "team_id": "t_3", "session_id": "s", "api": "chat", "model_id": "demo:nitro", "model": "demo",
		"endpoint": "demo:local-8000", "provider": "vLLM", "upstream_model": "/models/demo", "upstream_id": "chatcmpl-1",
		"attempts": `[{"endpoint":"demo:a","kind":"overloaded","ms":12,"status":503},{"endpoint":"demo:local-8000","kind":"","ms":900,"status":200}]`,
		"stream":   "1", "status_code": "200", "finish_reason": "stop", "native_finish_reason": "eos", "outcome": "complete", "error": "none 'really'",
		"ttft_ms": "180", "latency_ms": "950", "queued_ms": "33", "prompt_tokens": "1099511627776", "completion_tokens": "80", "reasoning_tokens": "20",
		"total_tokens": "1099511627856", "cache_read_tokens": "1000", "cache_write_tokens": "100", "usage_source": "provider",
		"cost_usd": "0.000123", "upstream_cost_usd": "0.0001", "temperature": "0.5", "top_p": "1", "max_tokens": "64", "CAST(seed AS TEXT)": "9007199254740993",
		"user_agent": "curl/8 \"x\"\n", "client_ip": "127.0.0.1", "app_title": "Café", "referer": "https://example.org", "metadata": `{"later":[1]}`,
	}
	selectRow(t, db, want)
	selected := " " + strings.Join(slices.Collect(maps.Keys(want)), " ") + " "
	for _, column := range requestlog.LogColumns() {
		if !regexp.MustCompile(`\b` + column + `\b`).MatchString(selected) {
			t.Errorf("column %s is not tested: add it to the event and to what is expected here", column)
		}
	}
}

// What an event does not say is NULL, never zero or "".
func testAbsent(t *testing.T, db *Database) {
	s := db.Open(t)
	u := &wire.Usage{RequestID: "gen-1779760223-a", Time: 1779760223000000, FirstTokenMS: -1, UsageSource: wire.UsageNone, Model: "demo", Status: 503}
	insert(t, s, []*requestlog.Row{Row(t, u)}, 1)
	want := map[string]string{"model_id": "demo", "provider": "router", "stream": "0", "latency_ms": "0", "received_at": "2026-05-26T01:50:23Z"}
	for column := range strings.FieldsSeq(`http_request_id trace_id ttft_bucket node spool_epoch seq key_id user_id team_id session_id api endpoint upstream_model upstream_id attempts
		finish_reason native_finish_reason outcome error ttft_ms queued_ms prompt_tokens completion_tokens reasoning_tokens total_tokens cache_read_tokens
		cache_write_tokens cost_usd upstream_cost_usd hedged_endpoint hedged_cost_usd temperature top_p max_tokens seed params user_agent client_ip app_title referer metadata shadow_of tool_calls json_valid`) {
		want[column] = "NULL"
	}
	selectRow(t, db, want)
}

// Whatever clients and upstreams put into text, the request is accounted for.
func testHostileText(t *testing.T, db *Database) {
	s := db.Open(t)
	f := func(n int, spoil Spoil) {
		t.Helper()
		u := Event(n)
		spoil.Apply(u)
		insert(t, s, []*requestlog.Row{Row(t, u)}, 1)
	}
	f(0, func(u *wire.Usage) { u.Error = "nul \x00 and \xff\xfe" })
	f(1, func(u *wire.Usage) { u.RequestedModel = strings.Repeat("é", 1<<20) })
	f(2, func(u *wire.Usage) { u.UserID, u.Provider = strings.Repeat("u", 10000), strings.Repeat("p", 10000) })
	f(3, func(u *wire.Usage) {
		u.Params = json.RawMessage(`{"user":"a\u0000b","stop":"\ud800","\u0000":[{"x":"\u0000"}]}`)
	})
	f(4, func(u *wire.Usage) { u.Params = json.RawMessage("{\"user\":\"\xff\"}") })
	f(5, func(u *wire.Usage) {
		u.Params = json.RawMessage(`{"seed":1.5,"temperature":"hot","max_tokens":99999999999999999999}`)
	})
	f(6, func(u *wire.Usage) { u.Error = strings.Repeat("e", 1<<20) })
	f(7, func(u *wire.Usage) { u.UserAgent = `'); DROP TABLE api_logs; --"]}` })
	checkRollups(t, s, db, 8)
	if n := db.Int(t, "SELECT max(length(model_id)) FROM api_logs"); n != 256 {
		t.Errorf("longest model id has %d characters, want it cut to 256 of two bytes", n)
	}
}

func testCancelled(t *testing.T, db *Database) {
	s := db.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Insert(ctx, Rows(t, 0, 5)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	insert(t, s, Rows(t, 0, 5), 5)
}
