package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func usage() *wire.Usage {
	return &wire.Usage{
		V: 1, RequestID: "gen-1779760223-foBbuEEOlNTnG2IMQeB5", Node: "node-1", Epoch: 1779000000, Release: 12,
		Time: 1779760223123456, FirstTokenMS: 180, LatencyMS: 950, KeyID: "k_7", UserID: "ada", TeamID: "t_3", API: "chat",
		RequestedModel: "demo:nitro", Model: "demo", Endpoint: "demo:local-8000", Provider: "vLLM", UpstreamModel: "/models/demo",
		UpstreamID: "chatcmpl-1", Attempts: []wire.Attempt{{Endpoint: "demo:a", Status: 503, Kind: "overloaded", MS: 12}, {Endpoint: "demo:local-8000", Status: 200, MS: 900}},
		Stream: true, Status: 200, FinishReason: "stop", NativeFinishReason: "stop", End: wire.EndComplete,
		PromptTokens: 1200, CompletionTokens: 80, ReasoningTokens: 20, CacheReadTokens: 1000, CacheWriteTokens: 100,
		UsageSource: wire.UsageProvider, CostUSD: "0.000123", UpstreamCostUSD: "0.0001", Params: json.RawMessage(`{"temperature":0.5}`),
		UserAgent: "curl/8 \"x\"\n", ClientIP: "127.0.0.1", SessionID: "s", AppTitle: "Café", Referer: "https://example.org", Error: "",
	}
}

// priced has all that most events have not.
func priced() *wire.Usage {
	u := usage()
	u.CacheWrite1hTokens, u.InputImageTokens, u.OutputImageTokens, u.InputAudioTokens, u.CachedAudioTokens, u.OutputAudioTokens = 1, 2, 3, 4, 5, 6
	u.InputImages, u.OutputImages, u.WebSearches, u.ServerToolCalls, u.ServiceTier = 7, 8, 9, 10, "flex"
	u.CostSource, u.PriceVersion, u.BYOK = wire.CostSourceList, "9a3f00c1d2e4", true
	u.Shadow, u.ShadowOf, u.ToolCalls, u.JSONOutput = true, "gen-1-b", 2, wire.JSONInvalid
	return u
}

func TestUsageAppendEqualsEncodingJSON(t *testing.T) {
	for name, u := range map[string]*wire.Usage{"full": usage(), "priced": priced(), "empty": {V: 1, RequestID: "gen-1-a", Attempts: []wire.Attempt{}}} {
		var std bytes.Buffer
		enc := json.NewEncoder(&std)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(u); err != nil {
			t.Fatal(err)
		}
		if got, want := string(u.Append(nil)), strings.TrimSpace(std.String()); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		back, err := wire.DecodeUsage(u.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, u) {
			t.Errorf("%s: read back %+v, want %+v", name, back, u)
		}
	}
}

// Golden files keep what shipped readable: change the format only by adding.
func TestGolden(t *testing.T) {
	release := &wire.Release{
		Epoch: 1779000000, Number: 3, Time: 1779760223, Author: "ada", Reason: "first",
		Snapshot: wire.Snapshot{DefaultModel: "demo", Models: []wire.Model{{
			ID: "demo", Name: "Demo", Type: "chat", ContextLength: 8192, MaxOutputLength: 4096, InputModalities: []string{"text"},
			OutputModalities: []string{"text"}, SupportedParameters: []string{"temperature"}, RequiredRole: "free", Pricing: wire.Pricing{Prompt: "0.3"},
			Endpoints: []wire.Endpoint{{ID: "demo:demo-api", Kind: "demo", Provider: "Demo", Weight: 1, UpstreamModel: "demo", Secrets: []string{"DEMO_KEY"}}},
		}}},
	}
	sum, err := release.Snapshot.Sum()
	if err != nil {
		t.Fatal(err)
	}
	release.Hash = sum
	table := &wire.KeyTable{Epoch: 1779000000, Version: 4, Keys: []wire.Key{{ID: "k_7", Hash: "ab", Name: "ci", User: "ada", Role: "pro", Models: []string{"demo"}, Expires: 1790000000}}}
	beat := &wire.Beat{Epoch: 1779000000, Release: 3, Keys: 4, Time: 1779760223123, Watch: []string{"demo"}}
	status := &wire.NodeStatus{
		Node: "node-1", Instance: "i1", Version: "v1", Started: 1, Time: 2, Epoch: 1779000000, Release: 3, Offered: 3, State: wire.StateApplied, Source: wire.SourceNATS,
		Keys: 4, InFlight: 2, Requests: 9, Usage: wire.UsageCounts{Issued: 9, Acked: 7, Pending: 2}, Missing: []wire.MissingSecret{{Endpoint: "demo:x", Variable: "X_KEY"}},
		Troubled: []wire.EndpointState{{Endpoint: "demo:y", State: "open", Reason: "timeout: no answer", Until: 1779000000000, InFlight: 1}},
		Counts: []wire.EndpointCounts{{
			Endpoint: "demo:demo-api", Since: 1, Requests: 9, Errors: 1, Rejected: 2, Streams: 5, Begun: 4, FirstToken: []uint64{0, 3, 1}, Priced: 6, CostUSD: 0.5, CostSquares: 0.125,
		}},
	}
	beat.Canary = &wire.CanaryNotice{Number: 4, Hash: "cd", Nodes: []string{"node-1"}}
	status.Canary = &wire.CanaryStatus{Number: 4, Hash: "cd", State: wire.StateApplied}
	receipt := &wire.Receipt{Ranges: []wire.Range{{Epoch: "e", First: 1, Last: 9}}}
	golden(t, "release", release.Encode, func(b []byte) (any, error) { return wire.DecodeRelease(b) }, release)
	body, err := release.Encode()
	if err != nil {
		t.Fatal(err)
	}
	canary := &wire.Canary{V: wire.Version, Nodes: []string{"node-1"}, Release: body}
	golden(t, "canary", func() ([]byte, error) { return wire.EncodeCanary(release, canary.Nodes) }, func(b []byte) (any, error) { return wire.DecodeCanary(b) }, canary)
	golden(t, "keys", table.Encode, func(b []byte) (any, error) { return wire.DecodeKeyTable(b) }, table)
	golden(t, "beat", beat.Encode, func(b []byte) (any, error) { got, err := wire.DecodeBeat(b); return &got, err }, beat)
	golden(t, "status", status.Encode, func(b []byte) (any, error) { return wire.DecodeNodeStatus(b) }, status)
	golden(t, "receipt", receipt.Encode, func(b []byte) (any, error) { return wire.DecodeReceipt(b) }, receipt)
	golden(t, "usage", func() ([]byte, error) { return usage().Append(nil), nil }, func(b []byte) (any, error) { return wire.DecodeUsage(b) }, usage())
}

func golden(t *testing.T, name string, encode func() ([]byte, error), decode func([]byte) (any, error), want any) {
	t.Helper()
	path := filepath.Join("testdata", "v1", name+".json")
	got, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(bytes.TrimSpace(file)) != string(got) {
		t.Errorf("%s: encoded\n%s\nthe golden file has\n%s", name, got, file)
	}
	back, err := decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, want) {
		t.Errorf("%s: read %+v, want %+v", name, back, want)
	}
}

func TestReadersRefuseTheFutureAndDamage(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		_, err := wire.DecodeRelease([]byte(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("DecodeRelease(%s) = %v, want %q", in, err, want)
		}
	}
	f(`{"v":2}`, "version 2")
	f(`{`, "not readable")
	f(`{"v":1,"number":7,"hash":"deadbeef"}`, "does not match")
	if _, err := wire.DecodeUsage([]byte(`{"v":1}`)); err == nil {
		t.Error("an event without request_id was accepted")
	}
}

// The event's own decoder and encoding/json read the same from what a node
// writes, and neither takes a value of another type.
func TestUsageDecoderEqualsEncodingJSON(t *testing.T) {
	d := wire.NewUsageDecoder()
	text := string(usage().Append(nil))
	for _, in := range []string{
		text, strings.ReplaceAll(text, ",", " ,\n"),
		`{"status":200,"request_id":"gen-1-a","v":1,"error":"\u00e9\ud83d\ude00\\\"","attempts":null,"params":[1, 2],"epoch":9223372036854775807}`,
		`{"v":1,"request_id":"gen-1-a","node":null,"stream":true,"stream":false}`,
		`{"v":1,"request_id":"gen-1-a","params":null,"attempts":[]}`,
		`{"v":1,"request_id":"gen-1-a","attempts":[{}, {"kind":"\u0041", "newer":[{}],"ms":3,"endpoint":null}]}`,
	} {
		var want wire.Usage
		if err := json.Unmarshal([]byte(in), &want); err != nil {
			t.Fatal(err)
		}
		if string(want.Params) == "null" {
			want.Params = nil // nothing was sent, in either spelling
		}
		line := []byte(in)
		got, unknown, err := d.Decode(line)
		clear(line) // nothing of it may be kept
		if err != nil || unknown != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s:\n got %+v, unknown %s, %v\nwant %+v", in, got, unknown, err, want)
		}
	}
	_, unknown, err := d.Decode([]byte(`{"v":1,"new":{"a":[1]},"request_id":"gen-1-a","newer":"x"}`))
	if string(unknown) != `{"new":{"a":[1]},"newer":"x"}` || err != nil {
		t.Errorf("unknown members: %s, %v", unknown, err)
	}
	for in, want := range map[string]string{
		``: "not readable", `7`: "not a JSON object", `{"v":1`: "not readable", `{"v":1} x`: "not readable", `{"v":2}`: "version 2", `{}`: "version 0",
		`{"v":1,"request_id":7}`: "request_id", `{"v":1,"epoch":-1}`: "epoch", `{"v":1,"status":"200"}`: "status", `{"v":1,"stream":1}`: "stream",
		`{"v":1,"latency_ms":1.5}`: "latency_ms", `{"v":1,"attempts":{}}`: "attempts", `{"v":1,"attempts":[7]}`: "attempts", `{"v":1,"attempts":[{"ms":"7"}]}`: "attempts: ms", "{\"v\":1,\"node\":\"\xff\"}": "not readable",
	} {
		if _, _, err := d.Decode([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
}

func BenchmarkUsageDecode(b *testing.B) {
	d := wire.NewUsageDecoder()
	line := usage().Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.Decode(line); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"request_id":"gen-1-a","attempts":[{"status":1}]}`))
	f.Add([]byte(`{"v":1,"snapshot":{"models":[{"endpoints":[{}]}]}}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = wire.DecodeRelease(b)
		_, _ = wire.DecodeKeyTable(b)
		_, _ = wire.DecodeBeat(b)
		_, _ = wire.DecodeNodeStatus(b)
		_, _ = wire.DecodeReceipt(b)
		_, _ = wire.DecodeUsage(b)
	})
}

func BenchmarkUsageAppend(b *testing.B) {
	u := usage()
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buf = u.Append(buf[:0])
	}
}
