package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/secret"
)

// listed is a key as the API shows it.
type listed struct {
	Key, ID, Name, User, Role string
	Models                    []string
	Expires, Revoked          *time.Time
	Replaces                  *listed
}

// accepted returns the hashes that nodes get, with their ends.
func (p *plane) accepted() map[string]int64 {
	p.t.Helper()
	out := map[string]int64{}
	for _, k := range p.table().Keys {
		out[k.Hash] = k.Expires
	}
	return out
}

func TestRotation(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("n1", "")
		p.joined(1)
		var old, fresh listed
		p.call("POST", "/admin/keys", `{"name":"ci","user":"ops","role":"pro","models":["demo"],"expires":"30d"}`, 201, &old)
		p.call("POST", "/admin/keys/"+old.ID+"/rotate", `{"overlap":"1h","wait_ms":5000}`, 201, &fresh)
		if fresh.Key == old.Key || fresh.ID == old.ID || fresh.Name != "ci" || fresh.User != "ops" || fresh.Role != "pro" || len(fresh.Models) != 1 ||
			!fresh.Expires.Equal(*old.Expires) {
			t.Errorf("the new key is %+v", fresh)
		}
		if end := fresh.Replaces.Expires; fresh.Replaces.ID != old.ID || end == nil || time.Until(*end) > time.Hour || time.Until(*end) < 50*time.Minute {
			t.Errorf("the old key is %+v", fresh.Replaces)
		}
		pepper := secret.New("pepper")
		if got := p.accepted(); len(got) != 2 || got[keys.Hash(pepper, old.Key)] != fresh.Replaces.Expires.Unix() || got[keys.Hash(pepper, fresh.Key)] != old.Expires.Unix() {
			t.Errorf("nodes accept %v", got)
		}
		var last listed
		p.call("POST", "/admin/keys/"+fresh.ID+"/rotate", `{"overlap":"0s","wait_ms":5000}`, 201, &last)
		if _, still := p.accepted()[keys.Hash(pepper, fresh.Key)]; still || last.Replaces.Revoked == nil {
			t.Errorf("without overlap the old key is %+v", last.Replaces)
		}
		p.refused("POST", "/admin/keys/"+fresh.ID+"/rotate", "", 409, "revoked")
		p.refused("POST", "/admin/keys/k_none/rotate", "", 404, "k_none")
		p.refused("POST", "/admin/keys/"+last.ID+"/rotate", `{"overlap":"91d"}`, 400, "0s to 90d")
		p.refused("POST", "/admin/keys/"+last.ID+"/rotate", `{"overlap":"2030-01-01T00:00:00Z"}`, 400, "0s to 90d")
		var log []struct{ Action, Target string }
		p.call("GET", "/admin/audit?limit=1", "", 200, &log)
		if log[0].Action != "key.rotate" || log[0].Target != fresh.ID+" "+last.ID {
			t.Errorf("audit %+v", log)
		}
	})
}

func TestTheSameRequestMakesNoSecondKey(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	once := map[string]string{"Idempotency-Key": "deploy-17"}
	status, _, _ := p.raw("POST", "/admin/keys", `{"name":"ci"}`, once)
	again, text, _ := p.raw("POST", "/admin/keys", `{"name":"ci"}`, once)
	if status != 201 || again != 409 || !strings.Contains(text, `"id":"k_`) {
		t.Errorf("%d, then %d %s", status, again, text)
	}
	var list []listed
	p.call("GET", "/admin/keys", "", 200, &list)
	if len(list) != 1 {
		t.Errorf("%d keys", len(list))
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("n1", "")
		p.joined(1)
		hash := func(key string) string { return keys.Hash(secret.New("pepper"), key) }
		p.refused("POST", "/admin/keys/import", `{}`, 400, "1 to 5000")
		bad := p.refused("POST", "/admin/keys/import", fmt.Sprintf(
			`{"keys":[{"hash":%q,"name":"good"},{"hash":"ABC","name":"x"},{"hash":%q},{"hash":%[1]q,"name":"y","role":"king","models":["gone"],"expires":"soon"}]}`,
			hash("a"), hash("b")), 400, "no key was imported")
		want := []string{"keys[1].hash: must be", "keys[2].name: is required", "keys[3].role: must be", `keys[3].models: model "gone" not found`, "keys[3].expires: must be"}
		problems, _ := bad["problems"].([]any)
		if len(problems) != len(want) {
			t.Fatalf("problems %q, want %q", problems, want)
		}
		for i, w := range want {
			if p, ok := problems[i].(string); !ok || !strings.HasPrefix(p, w) {
				t.Errorf("problem %q, want %q", problems[i], w)
			}
		}
		if got := p.accepted(); len(got) != 0 {
			t.Errorf("a part was imported: %v", got)
		}
		body := fmt.Sprintf(`{"keys":[{"hash":%q,"user":"alice","role":"pro"},{"hash":%q,"prefix":"hyi-old","models":["demo"],"expires":"2020-01-01 00:00:00+00"}],"wait_ms":5000}`, hash("a"), hash("b"))
		var done struct{ Imported, Known int }
		p.call("POST", "/admin/keys/import", body, 200, &done)
		if done.Imported != 2 || done.Known != 0 {
			t.Errorf("%+v", done)
		}
		var list []listed
		p.call("GET", "/admin/keys", "", 200, &list)
		for _, k := range list {
			if k.Name == "alice" {
				p.call("DELETE", "/admin/keys/"+k.ID, "", 200, nil)
			}
		}
		p.call("POST", "/admin/keys/import", body, 200, &done)
		if done.Imported != 0 || done.Known != 2 {
			t.Errorf("once more: %+v", done)
		}
		if got := p.accepted(); len(got) != 0 { // one was revoked, the other has expired
			t.Errorf("nodes accept %v", got)
		}
	})
}

func TestKeysComeInPages(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		made := map[string]bool{}
		for range 5 {
			var k listed
			p.call("POST", "/admin/keys", `{"name":"n","wait_ms":0}`, 201, &k)
			made[k.ID] = true
		}
		after := ""
		for range 3 {
			var page []listed
			p.call("GET", "/admin/keys?limit=2"+after, "", 200, &page)
			for _, k := range page {
				if !made[k.ID] {
					t.Errorf("%s comes twice", k.ID)
				}
				delete(made, k.ID)
			}
			after = "&after=" + page[len(page)-1].ID
		}
		if len(made) != 0 {
			t.Errorf("%d keys are missing", len(made))
		}
		p.refused("GET", "/admin/keys?after=k_none", "", 404, "k_none")
		p.refused("GET", "/admin/keys?limit=0", "", 400, "1 to 1000")
	})
}
