package server_test

import (
	"fmt"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// Rows are priced again by the list in service, or by that of their time, and
// the audit log has it.
func TestRowsArePricedAgain(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	var prices []adminapi.Price
	p.call("GET", "/admin/prices", "", 200, &prices)
	if len(prices) == 0 {
		t.Fatal("no prices")
	}
	endpoint := prices[0].Endpoint
	p.write("models.yaml", fmt.Sprintf("models: [{id: %s, route: [{kind: vllm, id: x, base_url: 'http://127.0.0.1:9', pricing: {prompt: 2, completion: 8, input_cache_reads: null, overrides: [{from: 2030-01-01, multiplier: 0.5}]}}]}]", "m"))
	p.call("POST", "/admin/apply", `{}`, 200, nil)
	p.call("GET", "/admin/prices?model=m", "", 200, &prices)
	if len(prices) != 2 || prices[0].Prices["prompt"] != "2" || prices[1].Prices["completion"] != "4" || prices[1].From == nil || len(prices[0].Unknown) == 0 {
		t.Fatalf("%+v", prices)
	}
	var rows []*requestlog.Row
	for n := range 20 {
		u := requestlogtest.Event(n)
		if u.Endpoint = "m:x"; n == 0 {
			u.Endpoint = endpoint
		}
		u.CacheReadTokens, u.CacheWriteTokens = 0, 0
		rows = append(rows, requestlogtest.Row(t, u))
	}
	if _, err := p.store.Insert(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	const body = `{"since":"2026-05-26","until":"2026-05-27T12:00:00Z","reason":"wrong list"%s}`
	for _, f := range []struct {
		more    string
		changed int64
	}{{`,"dry_run":true`, 17}, {"", 17}, {"", 0}, {`,"prices":"recorded"`, 1}} {
		var done adminapi.Repriced
		p.call("POST", "/admin/prices/reprice", fmt.Sprintf(body, f.more), 200, &done)
		if done.Changed != f.changed || done.Next != "" || done.Rows != 18 {
			t.Errorf("%s: %+v, want %d changed", f.more, done, f.changed)
		}
	}
	var usage []adminapi.UsageRow
	p.call("GET", "/admin/usage?by=endpoint&endpoint=m:x&since=2026-05-26&until=2026-05-28", "", 200, &usage)
	// 171 prompt tokens at 2 millionths, as many of the completion at 8
	if len(usage) != 1 || usage[0].CostUSD != "0.00162" {
		t.Errorf("%+v", usage)
	}
	var audit []adminapi.AuditEntry
	p.call("GET", "/admin/audit", "", 200, &audit)
	found := 0
	for _, e := range audit {
		if e.Action == "prices.reprice" && e.Reason == "wrong list" {
			found++
		}
	}
	if found != 3 {
		t.Errorf("%d records, want 3", found)
	}
	p.refused("POST", "/admin/prices/reprice", `{"since":"1h","prices":"old"}`, 400, "current or recorded")
	p.refused("POST", "/admin/prices/reprice", `{}`, 400, "since")
	p.refused("POST", "/admin/prices/reprice", `{"since":"2026-05-27","until":"2026-05-26"}`, 400, "until must be after since")
}
