package price_test

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/price"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestCost(t *testing.T) {
	f := func(p wire.Pricing, u chat.Usage, want string) {
		t.Helper()
		each, err := price.New(p)
		if err != nil {
			t.Fatal(err)
		}
		prompt, completion := each.Cost(&u)
		if got := string(price.AppendUSD(nil, prompt+completion)); got != want {
			t.Errorf("%+v of %+v: %s, want %s", u, p, got, want)
		}
	}
	claude := wire.Pricing{Prompt: "3", Completion: "15", CacheRead: "0.30", CacheWrite: "3.75"}
	f(claude, chat.Usage{Prompt: 10, Completion: 5}, "0.000105")
	f(claude, chat.Usage{Prompt: 100_010, Completion: 5, CacheWrite: 100_000}, "0.375105")
	f(claude, chat.Usage{Prompt: 100_010, Completion: 5, CacheWrite: 100_000, CacheWrite1h: 100_000}, "0.600105")
	f(claude, chat.Usage{Prompt: 100_010, Completion: 5, CacheWrite: 100_000, CacheWrite1h: 40_000}, "0.465105")
	claude.CacheWrite1h = "5"
	f(claude, chat.Usage{Prompt: 100_010, Completion: 5, CacheWrite: 100_000, CacheWrite1h: 100_000}, "0.500105")
	f(wire.Pricing{Prompt: "3"}, chat.Usage{Prompt: 100, CacheRead: 50, CacheWrite: 50}, "0.0003")
	if _, err := price.New(wire.Pricing{CacheWrite1h: "x"}); err == nil {
		t.Error("a price that is none passes")
	}
}
