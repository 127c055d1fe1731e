package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

type rollout struct {
	Release uint64 `json:"release"`
	Changed bool   `json:"changed"`
	Nodes   []struct {
		Node, State, Reason string
		MS                  int64
	}
	Changes, Warnings []string
	Removed           []string `json:"removed_models"`
	Before            int      `json:"models_before"`
	After             int      `json:"models_after"`
}

type weight struct {
	Model, Endpoint, Share string
	Weight, Configured     float64
	Override               bool
}

func (p *plane) weights(query string) (out []weight) {
	p.t.Helper()
	p.call("GET", "/admin/weights"+query, "", 200, &out)
	return out
}

func TestAWeightChangeReachesTheNodes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("node-a", "")
		p.node("node-b", "")
		p.joined(2)
		var done rollout
		p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.2,"glm:far":0.8},"reason":"drain","wait_ms":10000}`, 200, &done)
		if done.Release != 2 || !done.Changed || len(done.Nodes) != 2 || done.Nodes[0].State != "applied" || done.Nodes[1].State != "applied" {
			t.Errorf("rollout %+v", done)
		}
		want := []weight{{"glm", "glm:local", "20%", 0.2, 0.7, true}, {"glm", "glm:far", "80%", 0.8, 0.3, true}}
		if got := p.weights("?model=glm-latest"); !slices.Equal(got, want) {
			t.Errorf("weights %+v", got)
		}
		if got := p.weights(""); len(got) != 3 {
			t.Errorf("all weights %+v", got)
		}
		var routing struct {
			Release uint64
			Routes  map[string][]map[string]any
		}
		p.call("GET", "/admin/routing", "", 200, &routing)
		first := routing.Routes["glm"][0]
		if routing.Release != 2 || first["weight"] != "20%" || first["base_url"] != "http://10.0.0.5:8000" || first["provider"] != "vLLM" || first["configured"] != 0.7 || first["override"] != 0.2 {
			t.Errorf("routing %+v", routing)
		}
		p.call("DELETE", "/admin/weights", `{"model":"glm","reason":"over"}`, 200, &done)
		if got := p.weights("?model=glm"); done.Release != 3 || got[0].Override || got[0].Weight != 0.7 {
			t.Errorf("after the reset release %d, %+v", done.Release, got)
		}
		var log []struct{ Author, Action, Target, Reason string }
		p.call("GET", "/admin/audit?limit=2", "", 200, &log)
		if len(log) != 2 || log[0].Action != "weights.reset" || log[0].Reason != "over" || log[1].Action != "weights.set" || log[1].Target != "glm" || log[1].Author != "admin" {
			t.Errorf("audit %+v", log)
		}
	})
}

func TestARejectingNodeIsNamed(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.node("good", "")
	p.node("picky", "endpoint glm:far: no such adapter")
	p.joined(2)
	var done rollout
	p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.1},"wait_ms":10000}`, 200, &done)
	if len(done.Nodes) != 2 || done.Nodes[0].State != "applied" || done.Nodes[1].State != "rejected" || done.Nodes[1].Reason != "endpoint glm:far: no such adapter" {
		t.Errorf("rollout %+v", done)
	}
	var node struct {
		State        string `json:"state"`
		Release      uint64 `json:"release"`
		ReleaseState string `json:"release_state"`
	}
	p.call("GET", "/admin/nodes/picky", "", 200, &node)
	if node.State != "live" || node.Release != 1 || node.ReleaseState != "rejected" {
		t.Errorf("node %+v", node)
	}
	p.refused("GET", "/admin/nodes/nobody", "", 404, `node "nobody" not found`)
}

func TestApply(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	var done rollout
	p.call("POST", "/admin/apply", "", 200, &done)
	if done.Changed || done.Release != 1 {
		t.Errorf("unchanged files: %+v", done)
	}
	p.write("models.yaml", strings.ReplaceAll(models, "weight: 0.3", "weight: 0.9"))
	p.call("POST", "/admin/apply?dry_run=true", "", 200, &done)
	if !done.Changed || done.Release != 1 || len(done.Changes) != 1 || done.Changes[0] != "endpoint glm:far: weight 0.3 -> 0.9" {
		t.Errorf("dry run %+v", done)
	}
	p.call("POST", "/admin/apply", `{"reason":"more"}`, 200, &done)
	if !done.Changed || done.Release != 2 {
		t.Errorf("apply %+v", done)
	}
	p.write("models.yaml", "models: [{id: glm, contxt_length: 5}, {nme: x}]")
	problems := p.refused("POST", "/admin/apply", "", 400, "5 problems")["problems"]
	if text := fmt.Sprint(problems); !strings.Contains(text, "models.yaml:1: models[0].contxt_length: ") || !strings.Contains(text, "models[1]") {
		t.Errorf("problems %v", problems)
	}
	sent, err := json.Marshal(map[string]any{"models_yaml": "models: [{id: sent, provider: demo}]", "routing_yaml": "health_check: 5", "wait_ms": 0})
	if err != nil {
		t.Fatal(err)
	}
	p.call("POST", "/admin/apply", string(sent), 200, &done)
	var models []struct{ Model string }
	p.call("GET", "/admin/models", "", 200, &models)
	if fmt.Sprint(done.Removed) != "[glm demo]" || done.Before != 2 || done.After != 1 {
		t.Errorf("removed %v, from %d to %d models", done.Removed, done.Before, done.After)
	}
	if done.Release != 3 || len(models) != 1 || models[0].Model != "sent" {
		t.Errorf("release %d with %+v", done.Release, models)
	}
	p.refused("POST", "/admin/apply", `{"models_yaml":"models: 5"}`, 400, "one problem")
}

func TestReleases(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	for _, w := range []string{"0.1", "0.2"} {
		p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"local":`+w+`},"reason":"to `+w+`"}`, 200, nil)
	}
	var list []struct {
		Release uint64
		Reason  string
		Current bool
		Time    time.Time
		Models  int
	}
	p.call("GET", "/admin/releases?limit=2", "", 200, &list)
	if len(list) != 2 || list[0].Release != 3 || !list[0].Current || list[0].Reason != "to 0.2" || list[1].Current || list[0].Models != 2 || list[0].Time.IsZero() {
		t.Errorf("releases %+v", list)
	}
	p.call("GET", "/admin/releases?before=2", "", 200, &list)
	if len(list) != 1 || list[0].Release != 1 {
		t.Errorf("older releases %+v", list)
	}
	var release wire.Release
	p.call("GET", "/admin/releases/2", "", 200, &release)
	if release.Number != 2 || release.Snapshot.Models[0].Endpoints[0].Weight != 0.1 {
		t.Errorf("release %+v", release)
	}
	var diff struct{ Changes []string }
	p.call("GET", "/admin/releases/3/diff", "", 200, &diff)
	if len(diff.Changes) != 1 || diff.Changes[0] != "endpoint glm:local: weight 0.1 -> 0.2" {
		t.Errorf("diff %+v", diff)
	}
	var done rollout
	p.call("POST", "/admin/releases/2/rollback", `{"reason":"worse"}`, 200, &done)
	if got := p.weights("?model=glm"); done.Release != 4 || got[0].Weight != 0.1 || !got[0].Override {
		t.Errorf("rolled back: release %d, %+v", done.Release, got)
	}
	p.refused("GET", "/admin/releases/99", "", 404, "not found")
	p.refused("GET", "/admin/releases/x", "", 404, "number must be an integer from 1")
	p.refused("POST", "/admin/releases/99/rollback", "", 404, "not found")
	conflict := p.refused("PUT", "/admin/weights", `{"model":"glm","weights":{"local":1},"if_release":2}`, 409, "release 4")
	if conflict["release"] != 4.0 || conflict["reason"] != "worse" {
		t.Errorf("conflict %v", conflict)
	}
}

type key struct {
	Key, ID, Name, User, Role, Prefix string
	Models                            []string
	Expires, Revoked                  *time.Time
}

func TestKeys(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("node-a", "")
		p.joined(1)
		var made struct {
			key
			Nodes []struct{ State string }
		}
		p.call("POST", "/admin/keys", `{"name":"ci","role":"pro","models":["glm"],"expires":"30d","reason":"new job"}`, 201, &made)
		if !strings.HasPrefix(made.Key, "hyi-") || made.Prefix != made.Key[:12] || made.User != "ci" || made.Expires == nil || time.Until(*made.Expires) < 29*24*time.Hour {
			t.Errorf("made %+v", made)
		}
		if len(made.Nodes) != 1 || made.Nodes[0].State != "applied" {
			t.Errorf("nodes %+v: the key does not work at once", made.Nodes)
		}
		_, list, _ := p.raw("GET", "/admin/keys", "", nil)
		hash := keys.Hash(secret.New("pepper"), made.Key)
		if strings.Contains(list, made.Key) || strings.Contains(list, hash) || !strings.Contains(list, made.ID) {
			t.Errorf("the list is %s", list)
		}
		var shown key
		p.call("PATCH", "/admin/keys/"+made.ID, `{"role":"internal","expires":"never"}`, 200, &shown)
		p.call("GET", "/admin/keys/"+made.ID, "", 200, &shown)
		if shown.Role != "internal" || shown.Name != "ci" || !slices.Equal(shown.Models, []string{"glm"}) || shown.Expires != nil || shown.Revoked != nil {
			t.Errorf("updated %+v", shown)
		}
		p.call("DELETE", "/admin/keys/"+made.ID, `{"reason":"leaked"}`, 200, &shown)
		if shown.Revoked == nil || time.Since(*shown.Revoked) > time.Minute {
			t.Errorf("revoked %+v", shown)
		}
		p.call("DELETE", "/admin/keys/"+made.ID, "", 200, nil) // once more is fine
		p.refused("PATCH", "/admin/keys/"+made.ID, `{"role":"pro"}`, 409, "revoked")
		p.refused("GET", "/admin/keys/k_none", "", 404, "not found")
		p.refused("DELETE", "/admin/keys/k_none", "", 404, "not found")
		p.refused("POST", "/admin/keys", `{}`, 400, "name: is required")
		p.refused("POST", "/admin/keys", `{"name":"x","models":["gpt"]}`, 400, `model "gpt" not found; available: glm, demo`)
	})
}

func TestStats(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		now := time.Now()
		event := &wire.Usage{
			V: 1, RequestID: fmt.Sprintf("gen-%d-aaaaaaaaaaaaaaaaaaaa", now.Unix()), Node: "n", Time: now.UnixMicro(), LatencyMS: 20, FirstTokenMS: -1, API: "chat",
			RequestedModel: "glm", Model: "glm", Endpoint: "glm:local", Provider: "vLLM", Status: 200, End: wire.EndComplete, PromptTokens: 7, CompletionTokens: 5,
			UsageSource: wire.UsageProvider, Attempts: []wire.Attempt{},
		}
		row, err := requestlog.NewRow(event, requestlog.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.store.Insert(t.Context(), []*requestlog.Row{row}); err != nil {
			t.Fatal(err)
		}
		var out struct {
			PeriodHours int                `json:"period_hours"`
			Filters     map[string]*string `json:"filters"`
			Stats       []struct {
				RequestCount int64 `json:"request_count"`
				TotalTokens  int64 `json:"total_tokens"`
			} `json:"stats"`
		}
		p.call("GET", "/admin/stats?model=glm&hours=2", "", 200, &out)
		if out.PeriodHours != 2 || *out.Filters["model"] != "glm" || out.Filters["provider"] != nil || len(out.Stats) != 1 || out.Stats[0].RequestCount != 1 || out.Stats[0].TotalTokens != 12 {
			t.Errorf("stats %+v", out)
		}
		p.call("GET", "/admin/stats?provider=nobody", "", 200, &out)
		if len(out.Stats) != 0 || out.PeriodHours != 24 {
			t.Errorf("stats of nobody %+v", out)
		}
		p.call("GET", "/admin/stats?since=90m", "", 200, &out)
		if out.PeriodHours != 2 || len(out.Stats) == 0 {
			t.Errorf("stats since 90m %+v", out)
		}
		p.call("GET", "/admin/stats?since=7d&until=6d", "", 200, &out)
		if out.PeriodHours != 24 || len(out.Stats) != 0 {
			t.Errorf("stats until 6d %+v", out)
		}
		p.refused("GET", "/admin/stats?until=yesterday", "", 400, "parameter until must be a time")
		p.refused("GET", "/admin/audit?since=yesterday", "", 400, "parameter since must be a time")
		p.refused("GET", "/admin/stats?hours=0", "", 400, "parameter hours must be an integer from 1")
		p.refused("GET", "/admin/stats?hour=1", "", 400, `unknown parameter "hour"; known are model, provider, endpoint, node, hours, since, until, min_ms, by`)
	})
}

func TestOnlyTheTokenOpensTheDoor(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	f := func(authorization string, want int) {
		t.Helper()
		got, text, header := p.raw("GET", "/admin/routing", "", map[string]string{"Authorization": authorization})
		if got != want || want == 401 && (header.Get("WWW-Authenticate") == "" || strings.Contains(text, token)) {
			t.Errorf("%q: %d %s", authorization, got, text)
		}
	}
	f("Bearer "+token, 200)
	f("bearer "+token, 200)
	f("", 401)
	f("Bearer", 401)
	f("Bearer ", 401)
	f("Bearer "+token[:5], 401)
	f("Bearer "+token+"x", 401)
	f("Basic "+token, 401)
	p.token = ""
	p.refused("GET", "/admin/nothing", "", 401, "Authorization")
	p.refused("GET", "/admin", "", 401, "Authorization")
	p.refused("GET", "//admin//weights/", "", 401, "Authorization")
	p.call("GET", "/health", "", 200, nil)
	if _, err := app.New(t.Context(), app.Options{Addr: "127.0.0.1:0", NATS: bus.Options{URL: p.nats.ClientURL()}, Log: discard()}); err == nil || !strings.Contains(err.Error(), "ADMIN_TOKEN") {
		t.Errorf("an open API without being asked for: %v", err)
	}
	if _, err := app.New(t.Context(), app.Options{Addr: "0.0.0.0:0", Open: true}); err == nil || !strings.Contains(err.Error(), "ADMIN_TOKEN") {
		t.Errorf("an open API for the world: %v", err)
	}
}

func TestAnOpenAPIIsForThisMachine(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), func(o *app.Options) { o.Token, o.Open = secret.String{}, true })
	p.token = ""
	f := func(header map[string]string, want int) {
		t.Helper()
		if got, text, _ := p.raw("POST", "/admin/apply", "", header); got != want {
			t.Errorf("%v: %d %s, want %d", header, got, text, want)
		}
	}
	f(nil, 200)
	f(map[string]string{"Host": "localhost:8081"}, 200)
	f(map[string]string{"Host": "[::1]"}, 200)
	f(map[string]string{"Host": "attacker.example"}, 403)
	f(map[string]string{"Sec-Fetch-Site": "cross-site"}, 403)
	f(map[string]string{"Origin": "https://attacker.example"}, 403)
}

func TestWhatIsNotThere(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.refused("GET", "/nothing", "", 404, "path /nothing not found")
	p.refused("GET", "/admin/nothing", "", 404, "path /admin/nothing not found")
	p.refused("POST", "/admin/weights", "", 405, "DELETE, GET, PUT")
	if _, _, header := p.raw("POST", "/admin/nodes", "", nil); header.Get("Allow") != "GET" {
		t.Errorf("Allow: %q", header.Get("Allow"))
	}
	p.call("GET", "/admin/models/", "", 200, nil)
	p.refused("GET", "/admin/weights?model=gpt", "", 404, "available: glm, demo")
}

func TestBadBodiesAreToldApart(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	f := func(body string, want string) {
		t.Helper()
		p.refused("PUT", "/admin/weights", body, 400, want)
	}
	f(`{"model":"glm","wights":{}}`, `unknown field "wights"; known are reason, wait_ms, if_release, dry_run, model, weights`)
	f(`{"model":"glm","weights":{"local":"1"}}`, "weights must be a number, got string")
	f(`{"model":5}`, "model must be a string, got number")
	f(`[]`, "the body must be an object, got array")
	f(`{"model":`, "the body is not JSON")
	f(`{} {}`, "unexpected data after the JSON object")
	f(`{"wait_ms":-1}`, "wait_ms must be from 0 to 600000")
	f(`{"wait_ms":"30s"}`, "wait_ms must be a number")
	f("{\"reason\":\"a\\u0000b\"}", "reason must not contain control characters")
	f(`{"reason":"`+strings.Repeat("x", 1001)+`"}`, "reason must have at most 1000 bytes")
	f(`{"model":"glm","weights":{"lokal":1}}`, "available: local, far")
	p.refused("PUT", "/admin/weights", `{"reason":"`+strings.Repeat("x", 1<<20)+`"}`, 413, "larger than")
	if got, text, _ := p.raw("PUT", "/admin/weights", `{}`, map[string]string{"X-Gateway-Author": strings.Repeat("x", 201)}); got != 400 || !strings.Contains(text, "X-Gateway-Author") {
		t.Errorf("a long author: %d %s", got, text)
	}
	var log []any
	p.call("GET", "/admin/audit", "", 200, &log)
	if len(log) != 1 { // the first release
		t.Errorf("refused changes were recorded: %v", log)
	}
}

func TestStatusAndHealth(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.node("node-a", "")
	p.joined(1)
	var status struct {
		Version, NATS, Database string
		LogStore                string `json:"log_store"`
		Release, Epoch          uint64
		Models, Endpoints, Keys int
		Nodes                   struct{ Live, Stale int }
		Started                 time.Time
	}
	p.call("GET", "/admin/status", "", 200, &status)
	if status.Version != "v-test" || status.NATS != "connected" || status.Database != "ok" || status.LogStore != "ok" || status.Release != 1 ||
		status.Models != 2 || status.Endpoints != 3 || status.Nodes.Live != 1 || status.Started.IsZero() || status.Epoch == 0 {
		t.Errorf("status %+v", status)
	}
	var health map[string]any
	p.call("GET", "/health", "", 200, &health)
	if health["status"] != "healthy" {
		t.Errorf("health %v", health)
	}
	p.nats.Stop()
	eventually.True(t, "the loss of NATS shows", func() bool {
		p.call("GET", "/health", "", 200, &health)
		return health["status"] == "degraded" && health["nats"] == "reconnecting"
	})
	var done rollout
	began := time.Now()
	p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.2},"wait_ms":300}`, 200, &done)
	if done.Release != 2 || len(done.Nodes) != 1 || done.Nodes[0].State != "pending" || time.Since(began) < 300*time.Millisecond {
		t.Errorf("a change without NATS: %+v", done)
	}
}

func TestADatabaseThatIsNotThere(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil) // for NATS and the files
	o := app.Options{
		Addr: "127.0.0.1:0", NATS: bus.Options{URL: p.nats.ClientURL()}, Token: secret.New(token), Log: discard(),
		State: database.Config{Backend: database.BackendPostgres, Postgres: database.PostgresConfig{DSN: secret.New("postgres://nobody@127.0.0.1:1/none?sslmode=disable")}},
	}
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stop := runApp(t, a)
	defer stop()
	q := &plane{t: t, url: "http://" + a.Addr(), token: token}
	var health map[string]any
	q.call("GET", "/health", "", http.StatusOK, &health)
	if health["status"] != "degraded" || health["database"] != "error" || health["log_store"] != "none" {
		t.Errorf("health %v", health)
	}
	q.refused("GET", "/admin/routing", "", 503, "is unreachable")
	q.refused("POST", "/admin/keys", `{"name":"x"}`, 503, "API_KEY_SECRET")
	q.refused("GET", "/admin/keys", "", 503, "is unreachable")
	q.refused("PUT", "/admin/weights", `{"model":"glm","weights":{"local":1}}`, 503, "is unreachable")
}

// What nodes say of endpoints is shown per endpoint.
func TestEndpointsShowWhatNodesSay(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	status := wire.NodeStatus{
		Node: "node-1", State: wire.StateApplied, Missing: []wire.MissingSecret{{Endpoint: "glm:far", Variable: "FAR_KEY"}},
		Troubled: []wire.EndpointState{{Endpoint: "glm:local", State: "open", Reason: "timeout: no answer", Until: 1893553445000, InFlight: 2}},
	}
	say := func(s wire.NodeStatus) {
		t.Helper()
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.nats.Connect(s.Node).Publish(wire.NodeStatusPrefix+s.Node, data); err != nil {
			t.Fatal(err)
		}
	}
	say(status)
	say(wire.NodeStatus{Node: "node-2", State: wire.StateApplied, Missing: status.Missing})
	type row struct {
		Endpoint, State string
		Nodes           []struct {
			Node, State, Reason string
			Until               int64 `json:"until_ms"`
		}
	}
	states := func(query string) map[string]row {
		var rows []row
		p.call("GET", "/admin/endpoints"+query, "", 200, &rows)
		out := map[string]row{}
		for _, r := range rows {
			out[r.Endpoint] = r
		}
		return out
	}
	eventually.True(t, "both nodes' reports are there", func() bool {
		all := states("")
		return len(all["glm:far"].Nodes) == 2 && len(all["glm:local"].Nodes) >= 1
	})
	got := states("?model=glm-latest")
	if len(got) != 2 || got["glm:local"].State != "partly" || got["glm:far"].State != "down" {
		t.Errorf("%+v", got)
	}
	if n := got["glm:local"].Nodes[0]; n.Node != "node-1" || n.State != "open" || n.Until != 1893553445000 || n.Reason == "" {
		t.Errorf("%+v", n)
	}
	if n := got["glm:far"].Nodes[0]; n.State != "missing_secret" || n.Reason != "FAR_KEY is not set" {
		t.Errorf("%+v", n)
	}
	if up := states("")["demo:demo-api"]; up.State != "up" || len(up.Nodes) != 0 {
		t.Errorf("%+v", up)
	}
	if out := states("?out=true"); len(out) != 2 || out["glm:far"].State != "down" {
		t.Errorf("out of service: %+v", out)
	}
	// node-1 has no endpoint of glm left, node-2 has local
	var weights []struct{ Endpoint, Share, Serving, State string }
	p.call("GET", "/admin/weights?model=glm", "", 200, &weights)
	if w := weights[0]; w.Share != "70%" || w.Serving != "50%" || w.State != "partly" {
		t.Errorf("%+v", w)
	}
	if w := weights[1]; w.Share != "30%" || w.Serving != "0%" || w.State != "down" {
		t.Errorf("%+v", w)
	}
	var whole struct {
		Served struct{ Models, Endpoints int }
	}
	p.call("GET", "/admin/status", "", 200, &whole)
	if whole.Served.Models != 2 || whole.Served.Endpoints != 2 {
		t.Errorf("%+v", whole)
	}
	var node struct{ Troubled []wire.EndpointState }
	p.call("GET", "/admin/nodes/node-1", "", 200, &node)
	if len(node.Troubled) != 1 || node.Troubled[0].Endpoint != "glm:local" {
		t.Errorf("%+v", node)
	}
}

// What is wrong is said in words to operators and as a code to everybody.
func TestProblems(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	type said struct {
		Status   string
		Problems []struct{ Code, Message string }
	}
	var status said
	p.call("GET", "/admin/status", "", 200, &status)
	if len(status.Problems) != 0 {
		t.Errorf("at first: %+v", status.Problems)
	}
	hear := func(status *wire.NodeStatus) {
		t.Helper()
		status.State = wire.StateApplied
		data, err := status.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.nats.Connect(status.Node).Publish(wire.NodeStatusPrefix+status.Node, data); err != nil {
			t.Fatal(err)
		}
	}
	say := func(node string, missing ...wire.MissingSecret) {
		hear(&wire.NodeStatus{Node: node, Missing: missing})
	}
	hear(&wire.NodeStatus{Node: "n0", Notes: []string{"the disk under /var/lib is full"}})
	eventually.True(t, "a node's full disk is a problem", func() bool {
		p.call("GET", "/admin/status", "", 200, &status)
		return len(status.Problems) == 1 && status.Problems[0].Code == "node" && status.Problems[0].Message == "node n0: the disk under /var/lib is full"
	})
	hear(&wire.NodeStatus{Node: "n0", Stopped: true})
	local, far := wire.MissingSecret{Endpoint: "glm:local", Variable: "LOCAL_KEY"}, wire.MissingSecret{Endpoint: "glm:far", Variable: "FAR_KEY"}
	say("n1", local, far)
	eventually.True(t, "a model without secrets is named", func() bool {
		p.call("GET", "/admin/status", "", 200, &status)
		return len(status.Problems) == 1
	})
	if got := status.Problems[0]; got.Code != "missing_secret" || got.Message != "model glm cannot be served: LOCAL_KEY or FAR_KEY is set on no node" {
		t.Errorf("%+v", got)
	}
	var health struct {
		Status   string
		Problems []string
	}
	p.call("GET", "/health", "", 200, &health)
	if health.Status != "healthy" || !slices.Equal(health.Problems, []string{"missing_secret"}) {
		t.Errorf("health %+v", health)
	}
	say("n2", far) // which has LOCAL_KEY
	eventually.True(t, "the model is served", func() bool {
		p.call("GET", "/admin/status", "", 200, &status)
		return len(status.Problems) == 0
	})
	p.nats.Stop()
	eventually.True(t, "the loss of NATS is said", func() bool {
		p.call("GET", "/health", "", 200, &health)
		return health.Status == "degraded" && slices.Contains(health.Problems, "nats")
	})
}
