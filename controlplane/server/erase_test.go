package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// audited returns the last entries of the audit log, the newest first.
func (p *plane) audited(n int) (list []adminapi.AuditEntry) {
	p.t.Helper()
	p.call("GET", fmt.Sprintf("/admin/audit?limit=%d", n), "", 200, &list)
	return list
}

func TestErasing(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		var rows []*requestlog.Row
		for n := range 100 {
			u := requestlogtest.Event(n)
			u.Prompt = "secret plans"
			r, err := requestlog.NewRow(u, requestlog.Origin{SpoolEpoch: "e", Seq: uint64(n/2 + 1)})
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, r)
		}
		if _, err := p.store.Insert(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		js, err := bus.EnsureUsage(t.Context(), p.nats.Connect("collector"), bus.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 5 { // one of user-1
			m, err := bus.EncodeFrame(bus.Frame{Node: "node-1", Epoch: "x", First: uint64(n + 1), Last: uint64(n + 1), Lines: requestlogtest.Event(n).Append(nil)})
			if err != nil {
				t.Fatal(err)
			}
			m.Subject = wire.DeadLetterPrefix + "main"
			if _, err := js.PublishMsg(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		var done adminapi.EraseResult
		p.call("POST", "/admin/erase", `{"user":"user-1","dry_run":true}`, 200, &done)
		if done.Rows != 20 || done.Contents != 20 || done.DeadLetters != 1 || p.audited(1)[0].Action == "erase" {
			t.Errorf("dry run: %+v, %+v", done, p.audited(1))
		}
		p.call("POST", "/admin/erase", `{"user":"user-1","reason":"asked for"}`, 200, &done)
		if done.Rows != 20 || done.Contents != 20 || done.Next != "" || done.DeadLetters != 1 {
			t.Errorf("%+v", done)
		}
		audit := p.audited(2)
		if audit[1].Action != "erase" || audit[1].Target != "user user-1" || audit[1].Reason != "asked for" || audit[0].Action != "erase.done" {
			t.Errorf("%+v", audit)
		}
		var detail struct{ Rows, Contents int }
		if err := json.Unmarshal(audit[0].Detail, &detail); err != nil || detail.Rows != 20 || detail.Contents != 20 {
			t.Errorf("detail %s, %v", audit[0].Detail, err)
		}
		var usage []adminapi.UsageRow
		if p.call("GET", "/admin/usage?by=user&since=2026-05-01", "", 200, &usage); len(usage) != 4 {
			t.Errorf("%+v", usage)
		}
		var ledger adminapi.Ledger
		if p.call("GET", "/admin/ledger?since=2026-05-01T00:00:00Z", "", 200, &ledger); len(ledger.Gaps) != 0 {
			t.Errorf("gaps %+v", ledger.Gaps)
		}
		for body, want := range map[string]string{
			`{}`: "either user or key", `{"user":"a","key":"b"}`: "either user or key", `{"user":"a","before":"yesterday"}`: "before", `{"user":"a","colour":1}`: "colour",
		} {
			p.refused("POST", "/admin/erase", body, 400, want)
		}
	})
}

// Who reads prompts is on record, and a search that goes on is one.
func TestReadingContentIsAudited(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	u := requestlogtest.Event(0)
	u.Prompt, u.Answer = "secret plans", "an answer"
	if _, err := p.store.Insert(t.Context(), []*requestlog.Row{requestlogtest.Row(t, u)}); err != nil {
		t.Fatal(err)
	}
	status, body, _ := p.raw("GET", "/admin/logs/"+u.RequestID+"/content", "", map[string]string{"X-Gateway-Author": "mallory"})
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if got := p.audited(1)[0]; got.Action != "content.read" || got.Target != u.RequestID || got.Author != "mallory" {
		t.Errorf("%+v", got)
	}
	search := func(text, author string) {
		t.Helper()
		status, body, _ := p.raw("GET", "/admin/logs?text="+url.QueryEscape(text), "", map[string]string{"X-Gateway-Author": author})
		var rows []map[string]any
		if err := json.Unmarshal([]byte(body), &rows); status != 200 || err != nil || len(rows) != 1 {
			t.Errorf("search: %d %s", status, body)
		}
	}
	search("secret plans", "mallory")
	search("secret plans", "mallory")
	search("SECRET", "mallory")
	search("SECRET", "eve")
	var got []string
	for _, e := range p.audited(5) {
		got = append(got, e.Author+" "+e.Action+" "+e.Target)
	}
	if want := "[eve content.search SECRET mallory content.search SECRET mallory content.search secret plans mallory content.read " + u.RequestID; fmt.Sprint(got[:4]) != want+"]" {
		t.Errorf("audit log %q", got)
	}
	p.refused("GET", "/admin/logs/gen-1779839880-none/content", "", 404, "no content")
	if p.audited(1)[0].Author != "eve" {
		t.Errorf("what is not there was not read: %+v", p.audited(1))
	}
}
