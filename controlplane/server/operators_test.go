package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// operator makes an operator and returns a plane that has the token.
func (p *plane) operator(name, role string) *plane {
	p.t.Helper()
	var made adminapi.NewOperator
	p.call("POST", "/admin/operators", `{"name":"`+name+`","role":"`+role+`"}`, http.StatusCreated, &made)
	return &plane{t: p.t, url: p.url, token: made.Token}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		viewer, operator, admin := p.operator("vera", "viewer"), p.operator("otto", "operator"), p.operator("ada", "admin")
		may := func(method, path, body string, least int) {
			t.Helper()
			for i, who := range []*plane{viewer, operator, admin, p} {
				status, text, _ := who.raw(method, path, body, nil)
				if refused := status == http.StatusForbidden; refused != (i < least) || status == http.StatusUnauthorized {
					t.Errorf("%s %s by %s: %d %s", method, path, []string{"a viewer", "an operator", "an admin", "ADMIN_TOKEN"}[i], status, text)
				}
			}
		}
		may("GET", "/admin/status", "", 0)
		may("GET", "/admin/logs", "", 0)
		may("GET", "/admin/keys", "", 0)
		may("GET", "/admin/audit", "", 0)
		may("POST", "/admin/explain", `{"model":"glm"}`, 0)
		may("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.5,"far":0.5}}`, 1)
		may("DELETE", "/admin/weights?model=glm", "", 1)
		may("POST", "/admin/endpoints/disable", `{"endpoints":["glm:far"]}`, 1)
		may("POST", "/admin/endpoints/enable", `{"endpoints":["glm:far"]}`, 1)
		may("GET", "/admin/logs?text=secret", "", 2)
		may("GET", "/admin/logs/gen-1893553445-a/content", "", 2)
		may("POST", "/admin/keys", `{"name":"k"}`, 2)
		may("PUT", "/admin/limits", `{"holder":"gateway","limits":[{"kind":"rpm","value":"5"}]}`, 2)
		may("POST", "/admin/teams", `{}`, 2)
		may("POST", "/admin/apply", `{}`, 2)
		may("POST", "/admin/releases/1/rollback", `{}`, 2)
		may("POST", "/admin/erase", `{}`, 2)
		may("GET", "/admin/operators", "", 2)
		may("POST", "/admin/operators", `{}`, 2)
		may("GET", "/admin/sessions", "", 2)
		may("DELETE", "/admin/sessions/x", `{}`, 2)
		viewer.refused("PUT", "/admin/weights", `{"model":"glm","weights":{"local":1}}`, http.StatusForbidden, "PUT /admin/weights needs the role operator; vera has the role viewer")
		var me adminapi.Identity
		viewer.call("GET", "/admin/whoami", "", http.StatusOK, &me)
		if me != (adminapi.Identity{Name: "vera", Role: "viewer"}) {
			t.Errorf("%+v", me)
		}
	})
}

// No one signs for someone else, and the holder of ADMIN_TOKEN may say who they are.
func TestTheAuditLogNamesTheOperator(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	otto := p.operator("otto", "operator")
	for _, who := range []*plane{otto, p} {
		if status, text, _ := who.raw("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.5,"far":0.5}}`, map[string]string{"X-Gateway-Author": "eve"}); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		p.call("DELETE", "/admin/weights?model=glm", "", http.StatusOK, nil)
	}
	var log []adminapi.AuditEntry
	p.call("GET", "/admin/audit", "", http.StatusOK, &log)
	var authors []string
	for _, e := range log {
		if e.Action == "weights.set" {
			authors = append(authors, e.Author)
		}
	}
	if strings.Join(authors, " ") != "eve otto" {
		t.Errorf("weights were set by %v", authors)
	}
}

func TestTokensOfOperators(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		ada := p.operator("ada", "admin")
		var rotated adminapi.NewOperator
		p.call("POST", "/admin/operators/ada/rotate", `{"reason":"lost"}`, http.StatusOK, &rotated)
		ada.refused("GET", "/admin/status", "", http.StatusUnauthorized, "invalid token")
		ada.token = rotated.Token
		ada.call("GET", "/admin/status", "", http.StatusOK, nil)
		var list []adminapi.Operator
		ada.call("GET", "/admin/operators", "", http.StatusOK, &list)
		if len(list) != 1 || list[0].Name != "ada" || list[0].Revoked != nil {
			t.Errorf("%+v", list)
		}
		for range 2 {
			var gone adminapi.Operator
			p.call("DELETE", "/admin/operators/"+list[0].ID, `{}`, http.StatusOK, &gone)
			if gone.Revoked == nil {
				t.Errorf("%+v", gone)
			}
		}
		ada.refused("GET", "/admin/status", "", http.StatusUnauthorized, "revoked")
		p.refused("POST", "/admin/operators/ada/rotate", `{}`, http.StatusConflict, "operator ada is revoked")
		p.refused("POST", "/admin/operators", `{"name":"ada","role":"viewer"}`, http.StatusConflict, "a name is used once")
		p.refused("POST", "/admin/operators", `{"name":"x","role":"root"}`, http.StatusBadRequest, `role: must be viewer, operator, admin, got "root"`)
		p.refused("POST", "/admin/operators", `{"name":" ","role":"viewer"}`, http.StatusBadRequest, "name: ")
		p.refused("POST", "/admin/operators", `{"name":"x","role":"viewer","expires":"2020-01-01T00:00:00Z"}`, http.StatusBadRequest, "expires: ")
		p.refused("POST", "/admin/operators/nobody/rotate", `{}`, http.StatusNotFound, "nobody")

		var brief adminapi.NewOperator
		p.call("POST", "/admin/operators", `{"name":"brief","role":"viewer","expires":"1s"}`, http.StatusCreated, &brief)
		if text := db.Query(t, "SELECT hash FROM control_operators WHERE name = 'brief'")[0][0]; len(text) != 64 || strings.Contains(text, brief.Token) {
			t.Errorf("kept: %q", text)
		}
		db.Query(t, "UPDATE control_operators SET expires = 1 WHERE name = 'brief'")
		ada.token = brief.Token
		ada.refused("GET", "/admin/status", "", http.StatusUnauthorized, "expired")
		var log []adminapi.AuditEntry
		p.call("GET", "/admin/audit", "", http.StatusOK, &log)
		text, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{"operator.create", "operator.rotate", "operator.revoke"} {
			if !strings.Contains(string(text), action) {
				t.Errorf("%s is not in the audit log", action)
			}
		}
		if strings.Count(string(text), "operator.revoke") != 1 || strings.Contains(string(text), "hyo-") {
			t.Error(string(text))
		}
	})
}
