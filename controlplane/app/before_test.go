package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

// A new budget or tpd begins with what the request log has of its holder, its
// model or provider, and its period.
func TestNewLimitsBeginWithTheLog(t *testing.T) {
	table := &wire.KeyTable{Keys: []wire.Key{{ID: "k1", Team: "t1"}, {ID: "k2", Team: "t1"}, {ID: "k3", Team: "t2"}}}
	for name, create := range map[string]func(testing.TB) *requestlogtest.Database{"postgres": requestlogtest.Postgres, "sqlite": requestlogtest.SQLite} {
		t.Run(name, func(t *testing.T) {
			store := create(t).Open(t)
			var rows []*requestlog.Row
			add := func(key, user, model, provider string, at time.Time, cents, tokens int64) {
				u := requestlogtest.Event(len(rows))
				u.RequestID, u.Time = fmt.Sprintf("gen-%d-%020d", at.Unix(), len(rows)), at.UnixMicro()
				u.KeyID, u.UserID, u.TeamID, u.Model, u.RequestedModel, u.Provider = key, user, "", model, model, provider
				u.CostUSD, u.PromptTokens, u.CompletionTokens = fmt.Sprintf("%d.%02d", cents/100, cents%100), tokens-1, 1
				rows = append(rows, requestlogtest.Row(t, u))
			}
			now := time.Now()
			add("k1", "alice", "m", "vLLM", now, 1, 10)
			add("k1", "alice", "n", "Some Provider", now, 20, 200)
			add("k2", "bob", "m", "vLLM", now, 300, 3000)
			add("k3", "bob", "m", "vLLM", now, 4000, 40000)
			add("k1", "alice", "m", "vLLM", now.AddDate(0, 0, -40), 50000, 500000) // in an earlier period
			if _, err := store.Insert(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
			f := func(holder, id string, l wire.Limit, want int64) {
				t.Helper()
				got, err := app.SpentOf(t.Context(), store, table, &limits.Definition{Limit: l, Holder: holder, ID: id})
				if err != nil || got != want {
					t.Errorf("%s of %s %s: %d, %v; want %d", l.Name(), holder, id, got, err, want)
				}
			}
			const cent = 10_000_000_000
			budget := func(reset, model, provider string) wire.Limit {
				return wire.Limit{Kind: wire.LimitBudget, Reset: reset, Model: model, Provider: provider}
			}
			for _, reset := range []string{wire.ResetDay, wire.ResetWeek, wire.ResetMonth} {
				f(wire.HolderKey, "k1", budget(reset, "", ""), 21*cent)
			}
			f(wire.HolderKey, "k1", budget(wire.ResetTotal, "", ""), 50021*cent)
			f(wire.HolderKey, "k1", budget(wire.ResetDay, "m", ""), 1*cent)
			f(wire.HolderKey, "k1", budget(wire.ResetDay, "", "some-provider"), 20*cent)
			f(wire.HolderUser, "bob", budget(wire.ResetDay, "", ""), 4300*cent)
			f(wire.HolderTeam, "t1", budget(wire.ResetDay, "", ""), 321*cent)
			f(wire.HolderGateway, "", budget(wire.ResetDay, "", ""), 4321*cent)
			f(wire.HolderTeam, "t1", wire.Limit{Kind: wire.LimitTPD}, 3210)
			f(wire.HolderKey, "unknown", wire.Limit{Kind: wire.LimitTPD}, 0)
		})
	}
}
