package price_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

func list(t *testing.T, p wire.Pricing) *price.List {
	t.Helper()
	l, err := price.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The decimals are worked out by hand: tokens times USD per million.
func TestCost(t *testing.T) {
	f := func(p wire.Pricing, u price.Used, prompt, completion, source string) {
		t.Helper()
		c := list(t, p).Cost(&price.Bill{Used: u})
		if got := string(price.AppendUSD(nil, c.Prompt)); got != prompt {
			t.Errorf("%+v of %+v: prompt %s, want %s", u, p, got, prompt)
		}
		if got := string(price.AppendUSD(nil, c.Completion)); got != completion {
			t.Errorf("%+v of %+v: completion %s, want %s", u, p, got, completion)
		}
		if c.Source != source {
			t.Errorf("%+v of %+v: source %s, want %s", u, p, c.Source, source)
		}
	}
	claude := wire.Pricing{Prompt: "3", Completion: "15", CacheRead: "0.30", CacheWrite: "3.75"}
	f(claude, price.Used{Prompt: 10, Completion: 5}, "0.00003", "0.000075", "list")
	f(claude, price.Used{Prompt: 100_010, CacheWrite: 100_000}, "0.37503", "0", "list")
	// an hour costs twice the prompt, unless the list says otherwise
	f(claude, price.Used{Prompt: 100_010, CacheWrite: 100_000, CacheWrite1h: 40_000}, "0.46503", "0", "list")
	claude.CacheWrite1h = "5"
	f(claude, price.Used{Prompt: 100_010, CacheWrite: 100_000, CacheWrite1h: 100_000}, "0.50003", "0", "list")
	// cached tokens beyond the prompt are cut
	f(claude, price.Used{Prompt: 10, CacheRead: 400, CacheWrite: 20, CacheWrite1h: 30}, "0.000003", "0", "list")
	f(claude, price.Used{Prompt: 10, CacheRead: -4, CacheWrite1h: 5}, "0.00003", "0", "list")

	// what has no price is marked, and costs what stands in
	f(wire.Pricing{Prompt: "3", Completion: "15"}, price.Used{Prompt: 100, CacheRead: 50}, "0.0003", "0", "partial")
	f(wire.Pricing{Prompt: "3"}, price.Used{Prompt: 100, Completion: 1}, "0.0003", "0", "partial")
	f(wire.Pricing{Prompt: "3"}, price.Used{Prompt: 100}, "0.0003", "0", "list")
	f(wire.Pricing{}, price.Used{Prompt: 100, Completion: 1}, "0", "0", "unknown")
	f(wire.Pricing{Unknown: []string{"prompt"}}, price.Used{Prompt: 100}, "0", "0", "unknown")
	f(wire.Pricing{Prompt: "3", Completion: "1", Unknown: []string{"image"}}, price.Used{Prompt: 100, Images: 1}, "0.0003", "0", "partial")
	f(wire.Pricing{Prompt: "3", Completion: "1", Unknown: []string{"image"}}, price.Used{Prompt: 100}, "0.0003", "0", "list")
	f(wire.Pricing{Prompt: "3", Completion: "1"}, price.Used{Prompt: 100, WebSearches: 2}, "0.0003", "0", "partial")
	f(wire.Pricing{Prompt: "0", Completion: "0"}, price.Used{Prompt: 100, CacheRead: 50, InputAudio: 10, Completion: 3}, "0", "0", "free")

	all := wire.Pricing{
		Prompt: "2", Completion: "8", Reasoning: "10", CacheRead: "0.5", CacheWrite: "2.5", InputImageTokens: "4", OutputImageTokens: "30", InputAudio: "40",
		InputAudioCache: "2.5", OutputAudio: "80", Image: "0.001", OutputImage: "0.04", Request: "0.0005", WebSearch: "0.01", ServerTool: "0.0025",
	}
	f(all, price.Used{Prompt: 1000, InputAudio: 300, CacheRead: 200, InputAudioCache: 100, InputImageTokens: 100, Images: 2, WebSearches: 3, ServerTools: 2},
		// 500*2 + 200*40 + 100*2.5 + 100*0.5 + 100*4 millionths, 0.0005 + 2*0.001 + 3*0.01 + 2*0.0025
		"0.0472", "0", "list")
	f(all, price.Used{Completion: 1000, Reasoning: 200, OutputAudio: 300, OutputImageTokens: 100, OutputImages: 1}, "0.0005", "0.0722", "list")
	f(all, price.Used{Completion: 10, Reasoning: 11, OutputAudio: 5}, "0.0005", "0.0001", "list")
}

func TestOverrides(t *testing.T) {
	const december, january = 1_796_083_200, 1_798_761_600
	l := list(t, wire.Pricing{Prompt: "1.25", Completion: "10", CacheRead: "0.125", Overrides: []wire.PriceOverride{
		{MinPromptTokens: 200_001, Prices: wire.Pricing{Prompt: "2.50", Completion: "15", CacheRead: "0.25"}},
		{ServiceTier: "flex", Multiplier: "0.5"},
		{ServiceTier: "priority", Prices: wire.Pricing{Prompt: "2.25", Completion: "18"}},
		{From: december, Until: january, Multiplier: "0.75"},
		{From: january, Prices: wire.Pricing{Prompt: "1"}},
	}})
	f := func(unix int64, tier string, u price.Used, want string) {
		t.Helper()
		c := l.Cost(&price.Bill{Unix: unix, Tier: tier, Used: u})
		if got := string(price.AppendUSD(nil, c.Total())); got != want || c.Source != "list" {
			t.Errorf("at %d, tier %q, %+v: %s, %s; want %s", unix, tier, u, got, c.Source, want)
		}
	}
	small, large := price.Used{Prompt: 200_000, CacheRead: 100_000, Completion: 1000}, price.Used{Prompt: 200_001, CacheRead: 100_000, Completion: 1000}
	f(1, "", small, "0.1475")          // 0.125 + 0.0125 + 0.01
	f(1, "", large, "0.2900025")       // 0.2500025 + 0.025 + 0.015
	f(1, "flex", small, "0.07375")     // half
	f(1, "batch", small, "0.1475")     // no price of its own
	f(1, "priority", small, "0.2555")  // 0.225 + 0.0125 + 0.018
	f(december-1, "", small, "0.1475") // not yet
	f(december, "", small, "0.110625") // three quarters
	f(december, "flex", large, "0.1087509375")
	f(january-1, "", small, "0.110625")
	f(january, "", small, "0.1225") // 0.1 + 0.0125 + 0.01
	versions := map[string]bool{}
	for _, at := range []int64{1, december - 1, december, january} {
		versions[l.At(at, "", 1).Version] = true
	}
	if len(versions) != 3 || len(l.Entries()) != 18 || strings.Join(l.Tiers(), " ") != "flex priority" {
		t.Errorf("versions %v, %d entries, tiers %v", versions, len(l.Entries()), l.Tiers())
	}
	if n := testing.AllocsPerRun(100, func() { l.Cost(&price.Bill{Unix: december, Tier: "flex", Used: large}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestUpstreamsOwnCost(t *testing.T) {
	f := func(p wire.Pricing, told bool, want, source string) {
		t.Helper()
		c := list(t, p).Cost(&price.Bill{Used: price.Used{Prompt: 100, Completion: 10}, Upstream: 7_000_000, Told: told})
		if got := string(price.AppendUSD(nil, c.Total())); got != want || c.Source != source {
			t.Errorf("%+v: %s, %s; want %s, %s", p, got, c.Source, want, source)
		}
	}
	f(wire.Pricing{Prompt: "1", Completion: "2"}, true, "0.00012", "list")
	f(wire.Pricing{Prompt: "1", Completion: "2", Cost: "upstream"}, true, "0.000007", "upstream")
	f(wire.Pricing{Prompt: "1", Completion: "2", Cost: "upstream"}, false, "0.00012", "list")
	f(wire.Pricing{Prompt: "1"}, true, "0.000007", "upstream")
	f(wire.Pricing{}, true, "0.000007", "upstream")
	f(wire.Pricing{}, false, "0", "unknown")
	f(wire.Pricing{Prompt: "0", Completion: "0"}, true, "0", "free")
}

func TestRefusedLists(t *testing.T) {
	f := func(p wire.Pricing, want string) {
		t.Helper()
		if _, err := price.New(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", p, err, want)
		}
	}
	f(wire.Pricing{CacheWrite1h: "x"}, `cache_write_1h: "x" is not a price`)
	f(wire.Pricing{Prompt: "0.0000001"}, "more than 6 decimals")
	f(wire.Pricing{Prompt: "0.25", Overrides: []wire.PriceOverride{{ServiceTier: "flex", Multiplier: "0.333333"}}}, "prompt: times 0.333333 it has more than six decimals: give the price itself (override 1)")
	var many []wire.PriceOverride
	for i := range int64(40) {
		many = append(many, wire.PriceOverride{From: i + 1, Prices: wire.Pricing{Prompt: "1"}}, wire.PriceOverride{MinPromptTokens: i + 1, Prices: wire.Pricing{Prompt: "1"}})
	}
	f(wire.Pricing{Overrides: many}, "at most 1024")
}

// Costs saturate: whatever an upstream counts and an operator charges, no part
// is negative and both parts together fit.
func TestCostsSaturate(t *testing.T) {
	l := list(t, wire.Pricing{Prompt: "9000000", Completion: "9000000", Request: "9000000"})
	c := l.Cost(&price.Bill{Used: price.Used{Prompt: 1 << 40, Completion: 1 << 40}})
	if c.Prompt != price.MostCost || c.Completion != price.MostCost || c.Total() < 0 {
		t.Errorf("%+v", c)
	}
	r := rand.New(rand.NewPCG(1, 2))
	n := func() int64 { return []int64{math.MinInt64, -1, 0, 1, 1 << 40, math.MaxInt64}[r.IntN(6)] }
	for range 10_000 {
		u := price.Used{n(), n(), n(), n(), n(), n(), n(), n(), n(), n(), n(), n(), n(), n(), n()}
		if c := l.Cost(&price.Bill{Used: u, Upstream: n(), Told: r.IntN(2) == 0}); c.Prompt < 0 || c.Completion < 0 || c.Total() < 0 {
			t.Fatalf("%+v: %+v", u, c)
		}
	}
}

func TestUSD(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "1.4e-05": "0.000014", "0.00019": "0.00019", "1E-12": "0.000000000001", "4e-13": "0", "0.0000000000005": "0.000000000001", "12.5": "12.5",
		"3.0000000000000000000000001": "3", "1e30": "4611686.018427387903", "123456789012345678901234567890": "4611686.018427387903", "9e6": "4611686.018427387903",
	} {
		pico, ok := price.ParseUSD(in)
		if got := string(price.AppendUSD(nil, pico)); !ok || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "-1", "x", "1.2.3", "1e99", "1e", ".", "0x1", "NaN"} {
		if pico, ok := price.ParseUSD(in); ok {
			t.Errorf("%q: %d", in, pico)
		}
	}
	if got := string(price.AppendUSD(nil, -1_500_000_000_000)); got != "-1.5" {
		t.Error(got)
	}
}
