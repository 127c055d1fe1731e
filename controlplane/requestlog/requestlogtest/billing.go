package requestlogtest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// What providers bill is summed up exactly, apart for everything that explains a
// difference; what reached no endpoint is not in it.
func testBilling(t *testing.T, db *Database) {
	s := db.Open(t)
	var rows []*requestlog.Row
	at := time.Date(2026, 5, 31, 23, 59, 58, 0, time.UTC)
	add := func(change func(u *wire.Usage)) {
		u := Event(len(rows))
		u.RequestID, u.Time, u.UpstreamID = fmt.Sprintf("gen-%d-%d", at.Unix(), len(rows)), at.UnixMicro(), fmt.Sprintf("gen-%d", len(rows))
		u.Provider, u.Model, u.UpstreamModel, u.CostSource, u.UpstreamCostUSD = "OpenRouter", "m", "vendor/m", "list", ""
		u.PromptTokens, u.CompletionTokens, u.CostUSD = 10, 5, "0.000000000001"
		if change != nil {
			change(u)
		}
		rows = append(rows, Row(t, u))
	}
	add(nil)
	add(nil)
	add(func(u *wire.Usage) { u.UsageSource, u.End = wire.UsageEstimated, wire.EndClientGone })
	add(func(u *wire.Usage) { u.BYOK, u.UpstreamCostUSD = true, "0.5" })
	add(func(u *wire.Usage) { u.Endpoint, u.Provider = "", "" })
	at = at.Add(2 * time.Second) // the next day in UTC
	add(nil)
	insert(t, s, rows, len(rows))
	since := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	row := func(day, source, outcome string, byok bool, requests int64, cost, told string) requestlog.BillingRow {
		return requestlog.BillingRow{
			Day: day, Provider: "OpenRouter", UpstreamModel: "vendor/m", Model: "m", UsageSource: source, CostSource: "list", Outcome: outcome, BYOK: byok, Told: byok,
			RequestCount: requests, PromptTokens: 10 * requests, CompletionTokens: 5 * requests, CostUSD: cost, UpstreamCostUSD: told,
		}
	}
	list, err := s.Billing(t.Context(), requestlog.BillingQuery{Since: since, Until: since.AddDate(0, 2, 0)})
	want := []requestlog.BillingRow{
		row("2026-05-31", "estimated", "client_gone", false, 1, "0.000000000001", "0"),
		row("2026-05-31", "provider", "complete", false, 2, "0.000000000002", "0"),
		row("2026-05-31", "provider", "complete", true, 1, "0.000000000001", "0.5"),
		row("2026-06-01", "provider", "complete", false, 1, "0.000000000001", "0"),
	}
	if fmt.Sprint(list) != fmt.Sprint(want) || err != nil {
		t.Errorf("billing is\n%+v, %v; want\n%+v", list, err, want)
	}
	zone := time.FixedZone("", -3600)
	if list, err = s.Billing(t.Context(), requestlog.BillingQuery{Since: since, Until: since.AddDate(0, 2, 0), Zone: zone}); err != nil || len(list) != 3 || list[2].Day != "2026-05-31" {
		t.Errorf("an hour west of UTC: %+v, %v", list, err)
	}
	found, err := s.Billed(t.Context(), []string{"gen-1", "gen-3", "gen-4", "gen-99"})
	if err != nil || len(found) != 2 {
		t.Fatalf("found %+v, %v; want gen-1 and gen-3", found, err)
	}
	for _, r := range found {
		if r.UpstreamID != "gen-1" && r.UpstreamID != "gen-3" || !r.Time.Equal(at.Add(-2*time.Second)) || r.UpstreamModel != "vendor/m" || r.CostUSD != "0.000000000001" || r.PromptTokens != 10 {
			t.Errorf("found %+v", r)
		}
	}
	if _, err := s.Billed(t.Context(), make([]string, requestlog.MaxBilled+1)); !errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("too many ids: %v", err)
	}
}
