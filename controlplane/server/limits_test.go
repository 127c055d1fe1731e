package server_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// table returns the key table that nodes get.
func (p *plane) table() *wire.KeyTable {
	p.t.Helper()
	nc := p.nats.Connect("looks")
	defer nc.Close()
	doc, err := bus.Fetch(p.t.Context(), nc, wire.KeyTableKey)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := bus.Open(wire.KeyTableKey, doc)
	if err != nil {
		p.t.Fatal(err)
	}
	table, err := wire.DecodeKeyTable(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return table
}

// What an operator sets is what nodes get, before the command returns.
func TestLimitsAndTeamsReachTheNodes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("n1", "")
		p.joined(1)
		var team adminapi.ChangedTeam
		p.call("POST", "/admin/teams", `{"name":"search","users":["alice","bob","bob"],"models":["glm-latest"],"limits":[{"kind":"budget","value":"500","reset":"monthly"}],"metadata":{"cost_centre":"4711"},"wait_ms":5000}`, 201, &team)
		var key listed
		p.call("POST", "/admin/keys", `{"name":"crawler","team":"search","limits":[{"kind":"rpm","value":"600"},{"kind":"tpm","value":"2M","model":"glm-latest"}],"wait_ms":5000}`, 201, &key)
		p.call("POST", "/admin/keys", `{"name":"laptop","user":"alice"}`, 201, nil)
		p.call("PUT", "/admin/limits", `{"of":"alice","limits":[{"kind":"rpd","value":"10k"}]}`, 200, nil)
		p.call("PUT", "/admin/limits", `{"limits":[{"kind":"concurrency","value":"200","provider":"OpenAI_compat"}]}`, 200, nil)
		p.call("PUT", "/admin/limits", `{"of":"demo","limits":[{"kind":"rpm","value":"30"}]}`, 200, nil)
		p.call("PATCH", "/admin/keys/"+key.ID, `{"limits":[{"kind":"rpm","value":"900"},{"kind":"tpm","value":"none","model":"glm"}],"wait_ms":5000}`, 200, nil)

		got := p.table()
		want := []wire.Limit{{Kind: "rpm", Value: 900}}
		for _, k := range got.Keys {
			if k.Team != team.ID || k.ID == key.ID && !reflect.DeepEqual(k.Limits, want) {
				t.Errorf("key %+v", k)
			}
		}
		budget := []wire.Limit{{Kind: "budget", Value: 500e12, Reset: "month"}}
		if len(got.Teams) != 1 || !reflect.DeepEqual(got.Teams[0].Limits, budget) || !reflect.DeepEqual(got.Teams[0].Models, []string{"glm"}) {
			t.Errorf("teams %+v", got.Teams)
		}
		if !reflect.DeepEqual(got.Users, map[string][]wire.Limit{"alice": {{Kind: "rpd", Value: 10_000}}}) {
			t.Errorf("users %+v", got.Users)
		}
		if !reflect.DeepEqual(got.Gateway, []wire.Limit{{Kind: "concurrency", Value: 200, Provider: "example"}, {Kind: "rpm", Value: 30, Model: "demo"}}) {
			t.Errorf("gateway %+v", got.Gateway)
		}

		count := func(query string, want int) {
			t.Helper()
			var list []adminapi.HeldLimit
			p.call("GET", "/admin/limits"+query, "", 200, &list)
			if len(list) != want {
				t.Errorf("limits%s: %+v, want %d", query, list, want)
			}
		}
		count("", 5)
		count("?of="+key.ID, 4)     // its own, its team's, the gateway's two
		count("?of=user:alice", 1)  // her own
		count("?of=model:demo", 1)  // that model's
		count("?of=team:search", 1) // its own
		var shown adminapi.Team
		p.call("GET", "/admin/teams/search", "", 200, &shown)
		if len(shown.Keys) != 2 || !reflect.DeepEqual(shown.Users, []string{"alice", "bob"}) || shown.Metadata["cost_centre"] != "4711" {
			t.Errorf("team %+v", shown)
		}
		p.call("DELETE", "/admin/limits", `{"of":"demo"}`, 200, nil)
		count("?of=gateway", 1)
		p.call("DELETE", "/admin/limits", `{"of":"search","kind":"budget"}`, 200, nil)
		count("?of=team:search", 0)
		p.refused("DELETE", "/admin/teams/search", "", 409, "has members")
		p.call("DELETE", "/admin/teams/search", `{"force":true}`, 200, nil)
		if k := p.table().Keys[0]; k.Team != "" {
			t.Errorf("a key of a team that is gone: %+v", k)
		}
	})
}

func TestBadLimitsAndTeamsAreRefused(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.call("POST", "/admin/teams", `{"name":"search","users":["alice"]}`, 201, nil)
	p.call("POST", "/admin/keys", `{"name":"search"}`, 201, nil)
	f := func(method, path, body string, status int, want string) {
		t.Helper()
		p.refused(method, path, body, status, want)
	}
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"rpm","value":"-1"}]}`, 400, `limits[0].rpm: must be a positive integer`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"tpm","value":"2X"}]}`, 400, `limits[0].tpm: must be`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"budget","value":"50"}]}`, 400, `limits[0].reset: is required with a budget`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"budget","value":"50","reset":"yearly"}]}`, 400, `limits[0].reset: must be one of`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"rps","value":"5"}]}`, 400, `limits[0].kind: must be one of`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"rpm","value":"5","model":"gpt"}]}`, 400, `model "gpt" not found; available: glm, demo`)
	f("POST", "/admin/keys", `{"name":"x","limits":[{"kind":"rpm","value":"5","per":"s"}]}`, 400, `per`)
	f("POST", "/admin/keys", `{"name":"x","team":"ads"}`, 400, `team: "ads" not found`)
	f("PUT", "/admin/limits", `{"limits":[{"kind":"rpm","value":"5","provider":"zhipu"}]}`, 400, `limits[0].provider: provider "zhipu" not found; available: demo, example, vllm`)
	f("DELETE", "/admin/limits", `{"of":"team:search","model":"demo"}`, 404, `there is no such limit`)
	f("POST", "/admin/teams", `{"name":"ads","users":["alice"]}`, 409, `users: alice is in team search already`)
	f("POST", "/admin/teams", `{"name":"search"}`, 409, `there is a team "search" already`)
	f("POST", "/admin/teams", `{"name":" "}`, 400, `name: must have`)
	f("POST", "/admin/teams", `{"name":"ads","models":["gpt"]}`, 400, `models: model "gpt" not found`)
	f("PUT", "/admin/limits", `{"of":"nobody","limits":[{"kind":"rpm","value":"5"}]}`, 404, `key, user, team, model, or endpoint with limits "nobody" not found`)
	f("PUT", "/admin/limits", `{"of":"search","limits":[{"kind":"rpm","value":"5"}]}`, 409, `write key:, user:, team:, model: or endpoint: in front of it`)
	f("PUT", "/admin/limits", `{}`, 400, `limits`)
	f("DELETE", "/admin/limits", `{"kind":"rps"}`, 400, `kind must be one of`)
	f("GET", "/admin/teams/ads", "", 404, `team "ads"`)
}

// report sends a node's report of one limit of a key.
func (p *plane) report(nc *nats.Conn, seq uint64, key string, l wire.Limit, use wire.LeaseUse) {
	p.t.Helper()
	use.Counter = l.Counter(wire.HolderKey, key)
	use.Period, _ = l.Period(time.Now())
	m := wire.LeaseReport{Instance: 1, Seq: seq, Uses: []wire.LeaseUse{use}}
	eventually.True(p.t, "a daemon grants", func() bool {
		answer, err := nc.Request(wire.LeasePrefix+"n1", m.Append(nil), time.Second)
		if err != nil {
			return false
		}
		m.Seq++ // the limit may not have been known
		reply, err := wire.DecodeLeaseReply(answer.Data)
		return err == nil && len(reply.Grants) == 1
	})
}

func (p *plane) limitOf(key string) adminapi.HeldLimit {
	p.t.Helper()
	var list []adminapi.HeldLimit
	p.call("GET", "/admin/limits?of=key:"+key, "", 200, &list)
	if len(list) != 1 {
		p.t.Fatalf("limits of %s: %+v", key, list)
	}
	return list[0]
}

// Operators see what is used of a limit, by which node, and what is left.
func TestLimitsAreShownWithTheirState(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Thresholds = []int{20, 40} })
	nc := p.nats.Connect("node")
	defer nc.Close()
	alerts, err := nc.SubscribeSync(wire.LimitAlertSubject)
	if err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "a daemon grants", func() bool {
		_, err := nc.Request(wire.LeasePrefix+"n0", (&wire.LeaseReport{Instance: 1, Seq: 1}).Append(nil), time.Second)
		return err == nil
	})
	var key, manager listed
	p.call("POST", "/admin/keys", `{"name":"portal","role":"management"}`, 201, &manager)
	p.call("POST", "/admin/keys", `{"name":"ci","limits":[{"kind":"rpd","value":"100"}]}`, 201, &key)
	limit := wire.Limit{Kind: "rpd", Value: 100}
	p.report(nc, 1, key.ID, limit, wire.LeaseUse{Demand: 10, Need: 1})
	p.report(nc, 100, key.ID, limit, wire.LeaseUse{Held: 50, Used: 40, Demand: 10, Refused: 3})
	midnight := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	l := p.limitOf(key.ID)
	if l.State != "ok" || l.Used != "40" || l.Refused != 3 || l.ResetsAt == nil || !l.ResetsAt.Equal(midnight) || len(l.Nodes) != 1 || l.Nodes[0].Node != "n1" || l.Nodes[0].Used != "40" {
		t.Errorf("limit %+v", l)
	}
	if leased, left := number(t, l.Leased), number(t, l.Left); leased < 10 || leased+left != 60 {
		t.Errorf("leased %d, left %d, want 60 together", leased, left)
	}
	// of several thresholds at once the greatest is told, and once
	m, err := alerts.NextMsg(10 * time.Second)
	if err != nil || !strings.Contains(string(m.Data), `"percent":40,"holder":"key","holder_id":"`+key.ID+`","holder_name":"ci","kind":"rpd","limit":"100","used":"40"`) {
		t.Errorf("alert %+v, %v", m, err)
	}
	if l := p.limitOf(key.ID); l.Alert == nil || l.Alert.Percent != 40 || l.Alert.Delivery != "none" {
		t.Errorf("alert %+v", l.Alert)
	}
	// one that is lowered below what was used refuses at once, and says until when
	var changed adminapi.ChangedLimits
	p.call("PUT", "/admin/limits", `{"of":"`+key.ID+`","limits":[{"kind":"rpd","value":"30"}]}`, 200, &changed)
	if l := changed.Limits[0]; l.State != "spent" || l.Left != "0" || !l.ResetsAt.Equal(midnight) {
		t.Errorf("lowered limit %+v", l)
	}
	// limits of a key that nodes do not know can be changed all the same
	p.token = manager.Key
	p.call("PATCH", "/api/v1/keys/"+keys.Hash(secret.New("pepper"), key.Key), `{"disabled":true}`, 200, nil)
	p.token = token
	p.call("PUT", "/admin/limits", `{"of":"key:`+key.ID+`","limits":[{"kind":"rpd","value":"none"},{"kind":"rpm","value":"5","model":"demo"}]}`, 200, nil)
	if l := p.limitOf(key.ID); l.Kind != "rpm" || l.State != "ok" || l.Used != "0" || l.Left != "5" {
		t.Errorf("limit of a disabled key %+v", l)
	}
	p.call("DELETE", "/admin/limits", `{"of":"key:`+key.ID+`","model":"glm"}`, 404, nil)
	p.call("DELETE", "/admin/limits", `{"of":"key:`+key.ID+`","model":"demo"}`, 200, nil)
	// and the key be enabled and disabled with the admin API, too
	for _, disabled := range []bool{false, true} {
		var now adminapi.UpdatedKey
		p.call("PATCH", "/admin/keys/"+key.ID, `{"disabled":`+strconv.FormatBool(disabled)+`,"wait_ms":5000}`, 200, &now)
		eventually.True(t, "the nodes' table has the key unless it is disabled", func() bool {
			known := slices.ContainsFunc(p.table().Keys, func(k wire.Key) bool { return k.ID == key.ID })
			return now.Disabled == disabled && known != disabled
		})
	}
}

// While no daemon grants, the limits are shown with what nodes do then.
func TestLimitsInAnOutage(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	var key listed
	p.call("POST", "/admin/keys", `{"name":"ci","limits":[{"kind":"rpm","value":"100","on_outage":"open"}]}`, 201, &key)
	p.nats.Stop()
	if l := p.limitOf(key.ID); l.State != "outage" || l.OnOutage != "open" || l.Value != "100" || l.Used != "" || l.ResetsAt != nil {
		t.Errorf("limit %+v", l)
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Error(err)
	}
	return n
}
