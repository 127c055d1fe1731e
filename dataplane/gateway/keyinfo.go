package gateway

import (
	"encoding/json"
	"iter"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// keyData is GET key: what a tool asks to see whether a key works. Clients
// bring no provider keys, and there are no workspaces; the SDK insists on the
// members all the same.
type keyData struct {
	Label string `json:"label"`
	// Limit is the key's own budget in USD, null for none.
	Limit           *json.Number `json:"limit"`
	LimitReset      *string      `json:"limit_reset"`
	LimitRemaining  *json.Number `json:"limit_remaining"`
	IncludeBYOK     bool         `json:"include_byok_in_limit"`
	Usage           json.Number  `json:"usage"`
	UsageDaily      json.Number  `json:"usage_daily"`
	UsageWeekly     json.Number  `json:"usage_weekly"`
	UsageMonthly    json.Number  `json:"usage_monthly"`
	BYOKUsage       int          `json:"byok_usage"`
	BYOKDaily       int          `json:"byok_usage_daily"`
	BYOKWeekly      int          `json:"byok_usage_weekly"`
	BYOKMonthly     int          `json:"byok_usage_monthly"`
	IsFreeTier      bool         `json:"is_free_tier"`
	IsManagement    bool         `json:"is_management_key"`
	IsProvisioning  bool         `json:"is_provisioning_key"`
	CreatorUserID   *string      `json:"creator_user_id"`
	OrganizationID  *string      `json:"organization_id"`
	WorkspaceID     *string      `json:"workspace_id"`
	AllowedRegions  []string     `json:"allowed_data_regions"`
	ExpiresAt       *time.Time   `json:"expires_at"`
	FreeRequests    freeDaily    `json:"free_model_daily_requests"`
	DeprecatedLimit rateLimit    `json:"rate_limit"`
}

type freeDaily struct {
	Limit     int `json:"limit"`
	Remaining int `json:"remaining"`
	Used      int `json:"used"`
}

type rateLimit struct {
	Requests int64  `json:"requests"`
	Interval string `json:"interval"`
	Note     string `json:"note"`
}

// keyInfo answers GET key and auth/key.
func (g *Gateway) keyInfo(x caller) {
	k := x.key
	spent := g.spent(x)
	d := keyData{
		Label: k.Name, Usage: usd(spent.Total), UsageDaily: usd(spent.Day), UsageWeekly: usd(spent.Week), UsageMonthly: usd(spent.Month),
		IncludeBYOK: true, IsFreeTier: k.Role == snapshot.RoleFree, IsManagement: k.Role == snapshot.RoleAdmin, IsProvisioning: k.Role == snapshot.RoleAdmin,
		CreatorUserID: optional(k.User), AllowedRegions: []string{"global"}, FreeRequests: freeDaily{Limit: -1, Remaining: -1},
		DeprecatedLimit: requestRate(k.Limits),
	}
	d.budget(k.Limits, spent)
	if d.Label == "" {
		d.Label = k.ID
	}
	if at := k.Expires(); !at.IsZero() {
		d.ExpiresAt = &at
	}
	g.writeData(x.ctx, d)
}

// budget fills in the first budget of the key itself that is for all models,
// as the management API does.
func (d *keyData) budget(limits []*limits.Counter, spent snapshot.Spent) {
	for _, c := range limits {
		l := c.Limit()
		if l.Kind != wire.LimitBudget || !c.Own() || l.Model != "" || l.Provider != "" {
			continue
		}
		used := spent.Total
		switch l.Reset {
		case wire.ResetDay:
			used, d.LimitReset = spent.Day, new("daily")
		case wire.ResetWeek:
			used, d.LimitReset = spent.Week, new("weekly")
		case wire.ResetMonth:
			used, d.LimitReset = spent.Month, new("monthly")
		}
		d.Limit, d.LimitRemaining = new(usd(l.Value)), new(usd(max(0, l.Value-used)))
		return
	}
}

// requestRate is the least number of requests per minute that limits for all
// models allow.
func requestRate(limits []*limits.Counter) rateLimit {
	out := rateLimit{Requests: -1, Interval: "1m", Note: "Deprecated: there is no such limit."}
	for _, c := range limits {
		if l := c.Limit(); l.Kind == wire.LimitRPM && l.Model == "" && l.Provider == "" && (out.Requests < 0 || l.Value < out.Requests) {
			out.Requests, out.Note = l.Value, "Deprecated: a 429 names the limit and when to retry."
		}
	}
	return out
}

// spent is what the key has cost, at this node if the fleet's total is unknown.
func (g *Gateway) spent(x caller) snapshot.Spent {
	if g.opts.Spent != nil {
		if s, ok := g.opts.Spent(x.key.ID); ok {
			return s
		}
	}
	return x.key.Spent.Read(time.Now())
}

func usd(pico int64) json.Number { return json.Number(price.AppendUSD(nil, pico)) }

// credits answers GET credits for administrators. Nothing is paid in advance,
// so the balance is what was used.
func (g *Gateway) credits(x caller) {
	if x.key.Role != snapshot.RoleAdmin {
		g.refuse(x.ctx, problem.New(403, "permission_denied", "Only administrators' keys may see the credits"))
		return
	}
	g.writeData(x.ctx, map[string]json.Number{"total_credits": "0", "total_usage": usd(g.spentByAll())})
}

// spentByAll sums up what all keys have cost.
func (g *Gateway) spentByAll() int64 {
	if g.opts.Spent != nil {
		if s, ok := g.opts.Spent(""); ok {
			return s.Total
		}
	}
	return g.Spending("").Total
}

// Spending is what a key has cost at this node, or all keys for "".
func (g *Gateway) Spending(keyID string) (sum snapshot.Spent) {
	now := time.Now()
	for k := range g.accounts() {
		if keyID == "" || k.ID == keyID {
			s := k.Spent.Read(now)
			sum.Total += s.Total
			sum.Day += s.Day
			sum.Week += s.Week
			sum.Month += s.Month
		}
	}
	return sum
}

// accounts are the keys that requests are made with.
func (g *Gateway) accounts() iter.Seq[*snapshot.Key] {
	keys := g.current.Load().Keys
	if !g.auth.Enabled() {
		return func(yield func(*snapshot.Key) bool) { yield(keys.Anyone()) }
	}
	return keys.All()
}

// Recorded returns the usage event of a recent generation as it is sent to the
// collector, nil if this node does not know it.
func (g *Gateway) Recorded(id string) []byte { return g.books.recent.line(id) }
