package wire_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

func TestLimitValues(t *testing.T) {
	f := func(kind, text string, want int64, written string) {
		t.Helper()
		got, err := wire.ParseLimitValue(kind, text)
		if err != nil || got != want {
			t.Errorf("%s %q: %d, %v, want %d", kind, text, got, err, want)
		}
		if back := wire.FormatLimitValue(kind, got); back != written {
			t.Errorf("%s %d is written %q, want %q", kind, got, back, written)
		}
	}
	f("rpm", "600", 600, "600")
	f("tpm", "2M", 2_000_000, "2M")
	f("tpm", " 1.5k ", 1_500, "1500")
	f("tpd", "3G", 3_000_000_000, "3G")
	f("budget", "$50", 50e12, "$50")
	f("budget", "0.25", 0.25e12, "$0.25")
	f("budget", "0.000000000001", 1, "$0.000000000001")
	f("budget", "$0", 0, "$0")
	for kind, list := range map[string][]string{
		"rpm":    {"", "-1", "2X", "1.5", "M", ".5k", "5.", "1e3", "0x10", "99999999999999999999", "$5", "٣", "1 000"},
		"budget": {"", "-5", "$", "$$5", "0.0000000000001", "10G", "five"},
	} {
		for _, text := range list {
			_, err := wire.ParseLimitValue(kind, text)
			if err == nil || !strings.Contains(err.Error(), kind+": must be") {
				t.Errorf("%s %q: %v", kind, text, err)
			}
		}
	}
	if got := wire.FormatUSD(-9223372036854775808); got != "-9223372.036854775808" {
		t.Error(got)
	}
}

func TestResets(t *testing.T) {
	for text, want := range map[string]string{"monthly": "month", "Day": "day", "weekly": "week", "total": "total", "never": "total"} {
		if got, err := wire.ParseReset(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := wire.ParseReset("hourly"); err == nil || !strings.Contains(err.Error(), "day, week, month, total") {
		t.Error(err)
	}
}

func TestLimitsAreChecked(t *testing.T) {
	if err := wire.CheckLimits([]wire.Limit{
		{Kind: "rpm", Value: 600},
		{Kind: "rpm", Value: 60, Model: "demo"},
		{Kind: "budget", Value: 5e12, Reset: "month"},
		{Kind: "budget", Value: 0, Reset: "day", OnOutage: "open"},
		{Kind: "concurrency", Value: 20, Provider: "zhipu"},
	}); err != nil {
		t.Error(err)
	}
	f := func(want string, list ...wire.Limit) {
		t.Helper()
		if err := wire.CheckLimits(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", list, err, want)
		}
	}
	f("kind: must be one of rpm, rpd, tpm, tpd, concurrency, budget", wire.Limit{Kind: "rps", Value: 1})
	f("rpm: must be positive", wire.Limit{Kind: "rpm"})
	f("concurrency: must be positive", wire.Limit{Kind: "concurrency", Value: -1})
	f("tpm: must be at most", wire.Limit{Kind: "tpm", Value: 1e18})
	f("budget: must not be negative", wire.Limit{Kind: "budget", Value: -1, Reset: "day"})
	f("reset: is required with a budget", wire.Limit{Kind: "budget", Value: 1})
	f("reset: must be one of", wire.Limit{Kind: "budget", Value: 1, Reset: "year"})
	f("reset: only a budget has one", wire.Limit{Kind: "rpm", Value: 1, Reset: "day"})
	f("model, provider: are mutually exclusive", wire.Limit{Kind: "rpm", Value: 1, Model: "a", Provider: "b"})
	f("on_outage: must be one of closed, open, share", wire.Limit{Kind: "rpm", Value: 1, OnOutage: "ajar"})
	f("limits: budget per day for model m is given twice", wire.Limit{Kind: "budget", Value: 1, Reset: "day", Model: "m"}, wire.Limit{Kind: "budget", Value: 2, Reset: "day", Model: "m"})
	f("limits: at most 100", make([]wire.Limit, 101)...)
}

func TestWhatHappensWhenNobodyGrants(t *testing.T) {
	for want, l := range map[string]wire.Limit{"share": {Kind: "rpm"}, "closed": {Kind: "budget"}, "open": {Kind: "budget", OnOutage: "open"}} {
		if got := l.Outage(); got != want {
			t.Errorf("%+v: %s, want %s", l, got, want)
		}
	}
}

// A table without limits looks as it did before there were any: older nodes
// read it, and its size is the same.
func TestKeyTableWithLimits(t *testing.T) {
	table := &wire.KeyTable{
		Epoch: 1, Version: 2, Keys: []wire.Key{{ID: "k_7", Hash: "ab", User: "ada", Team: "t_1", Limits: []wire.Limit{{Kind: "rpm", Value: 600}}}},
		Users:   map[string][]wire.Limit{"ada": {{Kind: "tpm", Value: 2_000_000, Model: "demo"}}},
		Teams:   []wire.Team{{ID: "t_1", Name: "search", Models: []string{"demo"}, Limits: []wire.Limit{{Kind: "budget", Value: 50e12, Reset: "month"}}}},
		Gateway: []wire.Limit{{Kind: "concurrency", Value: 1000, OnOutage: "open"}},
	}
	golden(t, "keys_limits", table.Encode, func(b []byte) (any, error) { return wire.DecodeKeyTable(b) }, table)
	var old struct {
		V    int `json:"v"`
		Keys []struct {
			ID string `json:"id"`
		} `json:"keys"`
	}
	b, err := table.Encode()
	if err != nil || json.Unmarshal(b, &old) != nil || old.Keys[0].ID != "k_7" {
		t.Error("an older node cannot read the table", err)
	}
	bare, err := (&wire.KeyTable{Keys: []wire.Key{{ID: "k"}}}).Encode()
	if err != nil || !reflect.DeepEqual(string(bare), `{"v":1,"epoch":0,"version":0,"keys":[{"id":"k","hash":"","name":"","user":"","role":""}]}`) {
		t.Errorf("%s, %v", bare, err)
	}
}
