package requestlogtest

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

func priceList(t *testing.T, p wire.Pricing) *price.List {
	t.Helper()
	l, err := price.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// pricedEvent is an event that uses something of everything, more often than
// not in ways that no provider should count.
func pricedEvent(n int, r *rand.Rand) *wire.Usage {
	u := Event(n)
	u.Endpoint = []string{"a:x", "b:y", "c:z", "d:w"}[n%4]
	u.ServiceTier = []string{"", "flex", "batch"}[r.IntN(3)]
	u.UpstreamCostUSD = []string{"", "0.0042"}[r.IntN(2)]
	u.PromptTokens, u.CompletionTokens = []int64{0, r.Int64N(2000), r.Int64N(3_000_000)}[r.IntN(3)], r.Int64N(2000)
	for _, part := range []*int64{
		&u.ReasoningTokens, &u.CacheReadTokens, &u.CacheWriteTokens, &u.CacheWrite1hTokens, &u.InputImageTokens, &u.OutputImageTokens, &u.InputAudioTokens, &u.CachedAudioTokens,
		&u.OutputAudioTokens,
	} {
		*part = []int64{0, 0, r.Int64N(500), r.Int64N(500), 1 << 40}[r.IntN(5)]
	}
	for _, count := range []*int64{&u.InputImages, &u.OutputImages, &u.WebSearches, &u.ServerToolCalls} {
		*count = []int64{0, 0, 0, r.Int64N(2000)}[r.IntN(4)]
	}
	return u
}

func billOf(u *wire.Usage) *price.Bill {
	b := &price.Bill{Unix: u.Time / 1e6, Tier: u.ServiceTier, Used: price.Used{
		Prompt: u.PromptTokens, CacheRead: u.CacheReadTokens, CacheWrite: u.CacheWriteTokens, CacheWrite1h: u.CacheWrite1hTokens, InputImageTokens: u.InputImageTokens,
		InputAudio: u.InputAudioTokens, InputAudioCache: u.CachedAudioTokens, Completion: u.CompletionTokens, Reasoning: u.ReasoningTokens, OutputImageTokens: u.OutputImageTokens,
		OutputAudio: u.OutputAudioTokens, Images: u.InputImages, OutputImages: u.OutputImages, WebSearches: u.WebSearches, ServerTools: u.ServerToolCalls,
	}}
	b.Upstream, b.Told = price.ParseUSD(u.UpstreamCostUSD)
	return b
}

// repriceAll goes through all batches.
func repriceAll(t *testing.T, s requestlog.Store, q requestlog.RepriceQuery) (sum requestlog.Repriced) {
	t.Helper()
	for {
		got, err := s.Reprice(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		sum.Rows, sum.Unlisted, sum.Changed = sum.Rows+got.Rows, sum.Unlisted+got.Unlisted, sum.Changed+got.Changed
		if q.After = got.Next; q.After == "" {
			return sum
		}
	}
}

// checkCosts compares the roll-ups of costs with the rows, to the pico-dollar.
func checkCosts(t *testing.T, db *Database) {
	t.Helper()
	SameByHour(t, db)
	for _, q := range []string{
		"SELECT (SELECT coalesce(sum(cost_usd), 0) FROM api_logs) - (SELECT coalesce(sum(cost_usd), 0) FROM api_usage)",
		"SELECT (SELECT coalesce(sum(cost_usd), 0) FROM api_logs) - (SELECT coalesce(sum(total_cost_usd), 0) FROM api_stats_hourly)",
	} {
		if db.Config.Backend != database.BackendPostgres {
			q = strings.ReplaceAll(q, "cost_usd", "cost_pico")
		}
		if got := db.Query(t, "SELECT CASE WHEN ("+q+") = 0 THEN 'equal' ELSE 'different' END")[0][0]; got != "equal" {
			t.Errorf("%s: %s", q, got)
		}
	}
}

// Repricing gives every row what package price says, and the roll-ups with it.
func testReprice(t *testing.T, db *Database) {
	s := db.Open(t)
	r := rand.New(rand.NewPCG(1, 2))
	events := map[string]*wire.Usage{}
	var rows []*requestlog.Row
	for n := range 990 {
		u := pricedEvent(n, r)
		events[u.RequestID] = u
		rows = append(rows, Row(t, u))
	}
	insert(t, s, rows, len(rows))
	change := Start.Add(40 * time.Second)
	full := wire.Pricing{
		Prompt: "2", Completion: "8", Reasoning: "10", CacheRead: "0.5", CacheWrite: "2.5", CacheWrite1h: "4", InputAudio: "40", InputAudioCache: "2.5", OutputAudio: "80",
		OutputImageTokens: "30", Image: "0.001", OutputImage: "0.002", WebSearch: "0.01", Request: "0.0001",
		Overrides: []wire.PriceOverride{
			{MinPromptTokens: 1001, Prices: wire.Pricing{Prompt: "4"}}, {ServiceTier: "flex", Multiplier: "0.5"}, {From: Start.Unix() + 60, Prices: wire.Pricing{Completion: "9000"}},
		},
	}
	lists := map[string][]requestlog.Prices{
		"a:x": {{List: priceList(t, wire.Pricing{Prompt: "1", Completion: "2"})}, {From: change, List: priceList(t, full)}},
		"b:y": {{List: priceList(t, wire.Pricing{Prompt: "0", Completion: "0", Cost: wire.CostUpstream})}},
		"d:w": {{List: priceList(t, wire.Pricing{})}},
	}
	q := requestlog.RepriceQuery{Since: Start, Until: Start.Add(time.Hour), Prices: lists, DryRun: true, Now: Start.Add(2 * time.Hour)}
	before := logRows(t, s)
	dry := repriceAll(t, s, q)
	for id, row := range logRows(t, s) {
		if row != before[id] {
			t.Fatalf("a dry run changed %+v to %+v", before[id], row)
		}
	}
	q.DryRun = false
	done := repriceAll(t, s, q)
	if done.Changed != dry.Changed || done.Rows != 891 || done.Unlisted == 0 || done.Changed < 400 {
		t.Errorf("%+v, in a dry run %+v", done, dry)
	}
	for id, got := range logRows(t, s) {
		checkRepriced(t, events[id], before[id], got, lists, change)
	}
	checkCosts(t, db)
	if again := repriceAll(t, s, q); again.Changed != 0 {
		t.Errorf("a second time %d rows change", again.Changed)
	}
	checkCosts(t, db)
	checkOriginal(t, s, q, before)
	checkCosts(t, db)
}

// checkOriginal prices a second time: what rows cost at first stays.
func checkOriginal(t *testing.T, s requestlog.Store, q requestlog.RepriceQuery, before map[string]pricedRow) {
	t.Helper()
	q.Prices = map[string][]requestlog.Prices{"a:x": {{List: priceList(t, wire.Pricing{Prompt: "7", Completion: "7", CacheRead: "7", CacheWrite: "7"})}}}
	repriceAll(t, s, q)
	for id, got := range logRows(t, s) {
		if got.Endpoint == "a:x" && got.RepricedAt != "" && got.Original != before[id].Cost {
			t.Errorf("%s: original cost %q, was %q", id, got.Original, before[id].Cost)
		}
	}
}

func checkRepriced(t *testing.T, u *wire.Usage, before, got pricedRow, lists map[string][]requestlog.Prices, change time.Time) {
	t.Helper()
	list := lists[u.Endpoint]
	if len(list) == 0 || u.UsageSource == wire.UsageNone {
		if got != before {
			t.Errorf("%s: %+v became %+v", u.RequestID, before, got)
		}
		return
	}
	use := list[0].List
	if len(list) > 1 && u.Time/1e6 >= change.Unix() {
		use = list[1].List
	}
	c := use.Cost(billOf(u))
	want := pricedRow{ID: u.RequestID, Endpoint: u.Endpoint, Source: c.Source, Version: c.Version, Original: before.Cost, RepricedAt: "2026-05-27T01:58:00Z"}
	if c.Source != wire.CostSourceUnknown {
		want.Cost = string(price.AppendUSD(nil, c.Total()))
	}
	if got != want && (want.Cost != before.Cost || got != before) {
		t.Errorf("%+v\n got %+v\nwant %+v", u, got, want)
	}
}

// pricedRow is what repricing may change of a row.
type pricedRow struct {
	ID         string `json:"request_id"`
	Endpoint   string `json:"endpoint"`
	Cost       string `json:"cost_usd"`
	Source     string `json:"cost_source"`
	Version    string `json:"price_version"`
	Original   string `json:"original_cost_usd"`
	RepricedAt string `json:"repriced_at"`
}

func logRows(t *testing.T, s requestlog.Store) map[string]pricedRow {
	t.Helper()
	list, err := s.Logs(t.Context(), requestlog.LogQuery{Limit: requestlog.MaxLogRows})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]pricedRow{}
	for _, row := range list {
		text, err := row.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var p pricedRow
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		out[p.ID] = p
	}
	return out
}
