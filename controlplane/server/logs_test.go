package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// everywhere runs a test on each database that has a request log.
func everywhere(t *testing.T, check func(t *testing.T, db *requestlogtest.Database)) {
	both(t, check)
	t.Run("d1", func(t *testing.T) { check(t, requestlogtest.D1(t)) })
}

func TestTheLogIsRead(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		var rows []*requestlog.Row
		for n := range 25 {
			r, err := requestlog.NewRow(requestlogtest.Event(n), requestlog.Origin{SpoolEpoch: "e", Seq: uint64(n + 1)})
			if err != nil {
				t.Fatal(err)
			}
			if n != 10 {
				rows = append(rows, r)
			}
		}
		if _, err := p.store.Insert(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		var list []map[string]any
		p.call("GET", "/admin/logs?limit=10", "", 200, &list)
		if len(list) != 10 || list[0]["request_id"] != requestlogtest.Event(24).RequestID {
			t.Errorf("%d rows: %v", len(list), list[0])
		}
		p.call("GET", "/admin/logs?limit=1000&before="+fmt.Sprint(list[9]["request_id"]), "", 200, &list)
		if len(list) != 14 {
			t.Errorf("%d further rows", len(list))
		}
		p.call("GET", "/admin/logs?errors=true&model=model-0&since=2026-05-01T00:00:00Z", "", 200, &list)
		if len(list) != 1 || list[0]["error"] != "upstream closed the connection" {
			t.Errorf("%v", list)
		}
		for query, want := range map[string]string{
			"before=x": "gen-<unix seconds>", "before=gen-1577836800-0&after=gen-1577836800-0": "mutually exclusive", "errors=maybe": "true or false",
			"since=yesterday": "a duration back", "limit=1001": "1 to 1000", "colour=red": "unknown parameter",
		} {
			p.refused("GET", "/admin/logs?"+query, "", 400, want)
		}
		var usage []adminapi.UsageRow
		p.call("GET", "/admin/usage?by=user&since=2026-05-01T00:00:00Z", "", 200, &usage)
		if len(usage) != 5 || usage[1].RequestCount != 5 || usage[1].Group != "user-1" || usage[1].User != "user-1" {
			t.Errorf("%+v", usage)
		}
		p.call("GET", "/admin/usage?by=day,key&since=2026-05-27&until=2026-05-28&zone=Asia/Kolkata&user=user-1", "", 200, &usage)
		if len(usage) != 1 || usage[0].Period != "2026-05-27" || usage[0].Key != "k_7" || usage[0].RequestCount != 5 {
			t.Errorf("%+v", usage)
		}
		p.call("GET", "/admin/usage?by=day&since=all&until=2026-05-27", "", 200, &usage)
		if len(usage) != 1 || usage[0].RequestCount != 24 {
			t.Errorf("%+v", usage)
		}
		for query, want := range map[string]string{
			"by=colour": "model, provider, endpoint", "by=day,week": "two periods", "zone=Mars": "IANA time zone", "since=yesterday": "a date", "by=hour&since=2020-01-01": "1000 periods",
		} {
			p.refused("GET", "/admin/usage?"+query, "", 400, want)
		}
		id := requestlogtest.Event(3)
		for _, any := range []string{id.RequestID, id.UpstreamID} {
			if p.call("GET", "/admin/logs?id="+any, "", 200, &list); len(list) != 1 || list[0]["request_id"] != id.RequestID {
				t.Errorf("id %s: %v", any, list)
			}
		}
		var figures adminapi.Stats
		p.call("GET", "/admin/stats?by=endpoint&hours=87600", "", 200, &figures)
		if len(figures.Groups) != 1 || figures.Groups[0].Group != "model:local-8000" || figures.Groups[0].RequestCount != 24 || figures.Groups[0].P95TTFTMS == 0 || figures.Stats != nil {
			t.Errorf("%+v", figures)
		}
		p.refused("GET", "/admin/stats?by=colour", "", 400, "endpoint")
		var ledger struct {
			Gaps []requestlog.Gap
			Sum  struct{ Balanced bool }
		}
		p.call("GET", "/admin/ledger?since=2026-05-01T00:00:00Z", "", 200, &ledger)
		if !ledger.Sum.Balanced {
			t.Error("nothing is not balanced")
		}
	})
}

// Numbers of dead letters are not missing; those beside them are.
func TestDeadLettersAreNoGaps(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	var rows []*requestlog.Row
	for _, seq := range []int{1, 8} {
		r, err := requestlog.NewRow(requestlogtest.Event(2*seq), requestlog.Origin{SpoolEpoch: "e", Seq: uint64(seq)})
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
	gaps := func() (list []adminapi.Gap) {
		var l adminapi.Ledger
		p.call("GET", "/admin/ledger?since=2026-05-01T00:00:00Z", "", 200, &l)
		return l.Gaps
	}
	for _, letter := range []struct {
		node        string
		first, last uint64
		want        string
	}{
		{"node-1", 2, 7, "[{node-0 e 2 7}]"},
		{"node-0", 4, 5, "[{node-0 e 2 3} {node-0 e 6 7}]"},
		{"node-0", 2, 2, "[{node-0 e 3 3} {node-0 e 6 7}]"},
		{"node-0", 6, 7, "[{node-0 e 3 3}]"},
		{"node-0", 3, 3, "[]"},
	} {
		m, err := bus.EncodeFrame(bus.Frame{Node: letter.node, Epoch: "e", First: letter.first, Last: letter.last, Lines: []byte("{}\n")})
		if err != nil {
			t.Fatal(err)
		}
		m.Subject = wire.DeadLetterPrefix + "sqlite"
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(gaps()); got != letter.want {
			t.Errorf("after a letter with %s %d-%d: gaps %s, want %s", letter.node, letter.first, letter.last, got, letter.want)
		}
	}
}

// TestDeadLetters buries two, and watches over them.
func TestDeadLetters(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	nc := p.nats.Connect("collector")
	js, err := bus.EnsureUsage(t.Context(), nc, bus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= 2; seq++ {
		m, err := bus.EncodeFrame(bus.Frame{Node: "n1", Epoch: "e", First: seq, Last: seq, Lines: []byte(`{"v":1}` + "\n")})
		if err != nil {
			t.Fatal(err)
		}
		m.Subject = wire.DeadLetterPrefix + "postgres"
		m.Header.Set(wire.HeaderReason, "latency_ms: negative")
		if _, err := js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var list []struct {
		ID                         uint64
		Node, First, Reason, Event string
	}
	p.call("GET", "/admin/deadletters", "", 200, &list)
	if len(list) != 2 || list[0].Node != "n1" || list[1].First != "2" || list[0].Reason != "latency_ms: negative" || !strings.Contains(list[0].Event, `{"v":1}`) {
		t.Fatalf("%+v", list)
	}
	p.refused("POST", "/admin/deadletters/replay", `{"all":true}`, 409, "too recent")
	// the first failure does not keep the second from being tried
	p.refused("POST", "/admin/deadletters/replay", `{"all":true}`, 409, fmt.Sprintf("; dead letter %d: ", list[1].ID))
	p.refused("POST", "/admin/deadletters/drop", `{}`, 400, "either ids")
	p.refused("POST", "/admin/deadletters/drop", `{"ids":[99]}`, 404, "99")
	var done struct{ Done []uint64 }
	p.call("POST", "/admin/deadletters/drop", fmt.Sprintf(`{"ids":[%d],"reason":"test"}`, list[0].ID), 200, &done)
	if len(done.Done) != 1 {
		t.Errorf("%+v", done)
	}
	// one that is old enough goes back among the events, as it came
	letters, total, err := bus.DeadLetters(t.Context(), nc, 0, 10)
	if err != nil || total != 1 || len(letters) != 1 {
		t.Fatalf("%d letters, %v", total, err)
	}
	letters[0].Time = letters[0].Time.Add(-2 * bus.ReplayAge)
	if err := bus.ReplayDeadLetter(t.Context(), nc, &letters[0]); err != nil {
		t.Fatal(err)
	}
	sink, err := bus.EnsureSink(t.Context(), js, "test")
	if err != nil {
		t.Fatal(err)
	}
	m, err := sink.Next()
	if err != nil {
		t.Fatal(err)
	}
	f, err := bus.DecodeFrame(m.Headers(), m.Data())
	if err != nil || f.Node != "n1" || f.First != 2 || m.Headers().Get(wire.HeaderReason) != "" {
		t.Errorf("%+v, %v", f, err)
	}
	if p.call("GET", "/admin/deadletters", "", 200, &list); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	var audit []struct {
		Action, Target string
		Time           time.Time
		Detail         json.RawMessage
	}
	p.call("GET", "/admin/audit?limit=1", "", 200, &audit)
	if audit[0].Action != "deadletters.drop" {
		t.Errorf("%+v", audit)
	}
}
