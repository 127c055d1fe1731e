package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestManagementAPI(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		var manager, user, admin listed
		p.call("POST", "/admin/keys", `{"name":"portal","role":"management"}`, 201, &manager)
		p.call("POST", "/admin/keys", `{"name":"ci","role":"pro"}`, 201, &user)
		p.call("POST", "/admin/keys", `{"name":"boss","role":"admin"}`, 201, &admin)
		// the management key is not among them
		eventually.True(t, "nodes get two keys", func() bool { return len(p.table().Keys) == 2 })
		p.refused("GET", "/api/v1/keys", "", 401, "not valid") // ADMIN_TOKEN is no key
		p.token = user.Key
		p.refused("GET", "/api/v1/keys", "", 403, "Only management keys")
		p.refused("GET", "/api/v1/credits", "", 403, "Only management keys")
		p.token = admin.Key
		p.call("GET", "/api/v1/credits", "", 200, nil)
		p.refused("GET", "/api/v1/keys", "", 403, "Only management keys")
		p.token = ""
		p.refused("GET", "/api/v1/keys", "", 401, "No auth credentials found")
		p.apiKey = user.Key
		p.refused("GET", "/api/v1/credits", "", 403, "Only management keys")
		p.apiKey = admin.Key
		p.call("GET", "/api/v1/credits", "", 200, nil)
		p.apiKey = ""
		p.token = manager.Key
		p.refused("GET", "/admin/keys", "", 401, "")

		var made adminapi.NewManagedKey
		p.call("POST", "/api/v1/keys", `{"name":"run","limit":12.5,"limit_reset":"weekly","expires_at":"2099-01-01T00:00:00Z"}`, 201, &made)
		hash := keys.Hash(secret.New("pepper"), made.Key)
		if d := made.Data; d.Hash != hash || d.Name != "run" || !strings.HasPrefix(made.Key, d.Label) || d.ExpiresAt == nil || d.UpdatedAt != nil {
			t.Errorf("new key %+v", made)
		}
		shows := func(d adminapi.ManagedKey, limit, reset string) {
			t.Helper()
			got := "null"
			if d.Limit != nil {
				got = string(*d.Limit)
			}
			if got != limit || (d.LimitReset == nil) != (reset == "") || d.LimitReset != nil && *d.LimitReset != reset {
				t.Errorf("limit %s, reset %v; want %s %s", got, d.LimitReset, limit, reset)
			}
		}
		shows(made.Data, "12.5", "weekly")
		patch := func(body, limit, reset string) adminapi.ManagedKey {
			t.Helper()
			var one adminapi.OneManagedKey
			p.call("PATCH", "/api/v1/keys/"+hash, body, 200, &one)
			shows(one.Data, limit, reset)
			return one.Data
		}
		patch(`{"limit_reset":null}`, "12.5", "")
		patch(`{"limit":0.1}`, "0.1", "")
		if d := patch(`{"limit":50,"limit_reset":"monthly","disabled":true}`, "50", "monthly"); !d.Disabled || d.UpdatedAt == nil || time.Since(*d.UpdatedAt) > time.Minute {
			t.Errorf("disabled key %+v", d)
		}
		counts := func(query string, want int) {
			t.Helper()
			var list adminapi.ManagedKeys
			p.call("GET", "/api/v1/keys"+query, "", 200, &list)
			if len(list.Data) != want {
				t.Errorf("keys%s: %d, want %d", query, len(list.Data), want)
			}
		}
		counts("", 2)
		counts("?include_disabled=true", 3)
		counts("?include_disabled=true&offset=2", 1)
		inTable := func(want ...wire.Limit) {
			t.Helper()
			eventually.True(t, "nodes get what was changed", func() bool {
				for _, k := range p.table().Keys {
					if k.Hash == hash {
						return slices.Equal(k.Limits, want)
					}
				}
				return len(want) == 0
			})
		}
		inTable()
		patch(`{"disabled":false}`, "50", "monthly")
		inTable(wire.Limit{Kind: "budget", Value: 50e12, Reset: "month"})
		// what an operator has set beside it stays
		p.token = token
		p.call("PUT", "/admin/limits", `{"of":"key:`+p.idOf(hash)+`","limits":[{"kind":"budget","value":"50","reset":"monthly","on_outage":"open"},{"kind":"budget","value":"9","reset":"daily"}]}`, 200, nil)
		p.token = manager.Key
		patch(`{"limit":60}`, "60", "monthly")
		inTable(wire.Limit{Kind: "budget", Value: 60e12, Reset: "month", OnOutage: "open"}, wire.Limit{Kind: "budget", Value: 9e12, Reset: "day"})
		patch(`{"limit":null}`, "9", "daily")
		patch(`{"limit":null}`, "null", "")

		p.refused("POST", "/api/v1/keys", `{"name":"x","limit":-5}`, 400, "limit must be an amount in USD")
		p.refused("POST", "/api/v1/keys", `{"name":"x","limit":5,"limit_reset":"hourly"}`, 400, "limit_reset must be daily, weekly, monthly")
		p.refused("POST", "/api/v1/keys", `{"name":"x","limit_reset":"weeky"}`, 400, "limit_reset must be daily, weekly, monthly")
		p.refused("POST", "/api/v1/keys", `{"name":"x","workspace_id":"other"}`, 400, "workspace_id")
		p.refused("POST", "/api/v1/keys", `{"name":""}`, 400, "name: is required")
		p.refused("PATCH", "/api/v1/keys/"+hash, `{"limit":"five"}`, 400, "limit must be an amount")
		p.refused("GET", "/api/v1/keys/"+keys.Hash(secret.New("pepper"), manager.Key), "", 404, "no API key with that hash")
		p.refused("GET", "/api/v1/activity?date=2020-01-01", "", 400, "date must be one of the last 30 complete days")
		var activity adminapi.Activities
		p.call("GET", "/api/v1/activity", "", 200, &activity)
		var credits struct {
			Data map[string]json.Number
		}
		p.call("GET", "/api/v1/credits", "", 200, &credits)
		if credits.Data["total_usage"] != "0" || credits.Data["total_credits"] != "0" {
			t.Errorf("credits %v", credits)
		}
		p.call("DELETE", "/api/v1/keys/"+hash, "", 200, nil)
		p.refused("DELETE", "/api/v1/keys/"+hash, "", 404, "no API key with that hash")
	})
}

// idOf returns the id of the key with that hash, as nodes know it.
func (p *plane) idOf(hash string) string {
	p.t.Helper()
	for _, k := range p.table().Keys {
		if k.Hash == hash {
			return k.ID
		}
	}
	p.t.Fatalf("nodes know no key with the hash %s", hash)
	return ""
}
