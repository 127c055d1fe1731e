package requestlogtest

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// Start is the time of Event(0): two minutes before an hour and a day end.
var Start = time.Date(2026, 5, 26, 23, 58, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant in all but syntax

// Event returns the n-th of a row of different events, ten a second.
func Event(n int) *wire.Usage {
	at := Start.Add(time.Duration(n) * 100 * time.Millisecond)
	u := &wire.Usage{
		V: 1, RequestID: fmt.Sprintf("gen-%d-%020d", at.Unix(), n), Node: fmt.Sprintf("node-%d", n%2), Epoch: 1779000000, Release: 12,
		Time: at.UnixMicro(), FirstTokenMS: int64(20 + n%50), LatencyMS: int64(100 + (n*7919)%3000), KeyID: "k_7", UserID: fmt.Sprintf("user-%d", n%5), TeamID: fmt.Sprintf("t_%d", n/7%2),
		API: "chat", RequestedModel: fmt.Sprintf("model-%d", n%3), Model: fmt.Sprintf("model-%d", n%3), Endpoint: "model:local-8000",
		Provider: []string{"vLLM", "DeepSeek"}[n%2], UpstreamModel: "/models/x", UpstreamID: fmt.Sprintf("chatcmpl-%d", n),
		Attempts: []wire.Attempt{{Endpoint: "model:local-8000", Status: 200, MS: 90}},
		Stream:   n%2 == 0, Status: 200, FinishReason: "stop", NativeFinishReason: "stop", End: wire.EndComplete,
		PromptTokens: int64(n % 1000), CompletionTokens: int64(n % 77), ReasoningTokens: int64(n % 7), CacheReadTokens: int64(n % 11), CacheWriteTokens: int64(n % 13),
		UsageSource: wire.UsageProvider, CostUSD: fmt.Sprintf("0.%012d", 1+n*13), UpstreamCostUSD: "0.0001",
		Params: json.RawMessage(`{"temperature":0.7,"max_tokens":64}`), UserAgent: "openai-python/1.99", ClientIP: "203.0.113.7",
	}
	if n%10 == 9 {
		u.Status, u.End, u.Error, u.UsageSource = 502, wire.EndUpstreamError, "upstream closed the connection", wire.UsageNone
		u.PromptTokens, u.CompletionTokens, u.CostUSD = 0, 0, ""
	}
	return u
}

// Row returns the row of an event.
func Row(t testing.TB, u *wire.Usage) *requestlog.Row {
	t.Helper()
	r, err := requestlog.NewRow(u, requestlog.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Rows returns the rows of the events from first up to and without end.
func Rows(t testing.TB, first, end int) []*requestlog.Row {
	t.Helper()
	var rows []*requestlog.Row
	for n := first; n < end; n++ {
		rows = append(rows, Row(t, Event(n)))
	}
	return rows
}
