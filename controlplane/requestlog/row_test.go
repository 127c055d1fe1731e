package requestlog_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestNewRowRefusesWhatNoStoreCanTake(t *testing.T) {
	f := func(spoil func(u *wire.Usage), want string) {
		t.Helper()
		u := requestlogtest.Event(1)
		spoil(u)
		_, err := requestlog.NewRow(u, requestlog.Origin{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	id := func(s string) func(*wire.Usage) { return func(u *wire.Usage) { u.RequestID = s } }
	f(id("chatcmpl-1"), `"chatcmpl-1" is not of the form`)
	f(id("gen-1779760223"), "is not of the form")
	f(id("gen-1779760223-"), "is not of the form")
	f(id("gen-1779760223-a_b"), "is not of the form")
	f(id("gen-1779760223-"+strings.Repeat("a", 64)), "is not of the form")
	f(id("gen-x779760223-a"), "is not a second")
	f(id("gen-1577836799-a"), "between 2020 and 2100")
	f(id("gen-4102444800-a"), "between 2020 and 2100")
	f(id("gen-01779760223-a"), "is not a second")
	cost := func(s string) func(*wire.Usage) { return func(u *wire.Usage) { u.CostUSD = s } }
	f(cost("free"), `cost_usd: "free" is not a decimal number`)
	f(cost("-"), "is not a decimal number")
	f(cost("."), "is not a decimal number")
	f(cost("1/3"), "is not a decimal number")
	f(cost("0x10"), "is not a decimal number")
	f(cost("1_0"), "is not a decimal number")
	f(cost("NaN"), "is not a decimal number")
	f(cost("9300000"), "more than can be stored")
	f(cost("1e999999999"), "exponent out of range")
	f(cost(strings.Repeat("9", 1000)), "is not a decimal number")
	f(func(u *wire.Usage) { u.UpstreamCostUSD = "x" }, "upstream_cost_usd")
	f(func(u *wire.Usage) { u.Params = []byte(`{"a":`) }, "params: invalid JSON")
	f(func(u *wire.Usage) { u.Params = []byte(strings.Repeat("[", 2000) + strings.Repeat("]", 2000)) }, "params: nested too deeply")
}

func FuzzNewRow(f *testing.F) {
	f.Add("gen-1779760223-a", "0.5", []byte(`{"temperature":1}`), "x")
	f.Add("gen-1779760223-a", "1e-12", []byte(`{"a":"\u0000\ud800"}`), "\x00\xff")
	f.Fuzz(func(t *testing.T, id, cost string, params []byte, text string) {
		u := &wire.Usage{RequestID: id, CostUSD: cost, Params: params, Error: text, RequestedModel: text}
		r, err := requestlog.NewRow(u, requestlog.Origin{Extra: params})
		if (r == nil) == (err == nil) {
			t.Errorf("row %v and error %v", r, err)
		}
	})
}
