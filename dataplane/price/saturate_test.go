package price_test

import (
	"math"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Costs saturate: whatever an upstream counts and an operator charges, no part
// is negative and both parts together fit.
func TestCostsSaturate(t *testing.T) {
	f := func(p wire.Pricing, u chat.Usage, prompt, completion string) {
		t.Helper()
		prices, err := price.New(p)
		if err != nil {
			t.Fatal(err)
		}
		a, b := prices.Cost(&u)
		if got := string(price.AppendUSD(nil, a)); got != prompt {
			t.Errorf("%+v at %+v: prompt %s, want %s", u, p, got, prompt)
		}
		if got := string(price.AppendUSD(nil, b)); got != completion {
			t.Errorf("%+v at %+v: completion %s, want %s", u, p, got, completion)
		}
		if a < 0 || b < 0 || a+b < 0 {
			t.Errorf("%d and %d pico-dollars", a, b)
		}
	}
	small := wire.Pricing{Prompt: "0.3", Completion: "1.2", CacheRead: "0.03", Request: "0.01"}
	f(small, chat.Usage{Prompt: 1000, Completion: 500, CacheRead: 400}, "0.010192", "0.0006")
	f(small, chat.Usage{Prompt: 10, CacheRead: 400}, "0.010012", "0") // more cached than counted
	f(small, chat.Usage{}, "0.01", "0")
	huge := wire.Pricing{Prompt: "9000000", Completion: "9000000"}
	f(huge, chat.Usage{Prompt: 1 << 40, Completion: 1 << 40}, "4611686.018427387903", "4611686.018427387903")
	f(huge, chat.Usage{Prompt: math.MaxInt64, Completion: math.MinInt64, CacheRead: math.MaxInt64}, "4611686.018427387903", "0")
}
