package collector_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// letters returns all dead letters by their reason.
func (r *rig) letters() map[string]jetstream.Msg {
	r.t.Helper()
	stream, err := r.js.Stream(r.t.Context(), wire.DeadLetterStream)
	if err != nil {
		r.t.Fatal(err)
	}
	found := make(map[string]jetstream.Msg)
	n := stream.CachedInfo().State.Msgs
	if n == 0 {
		return found
	}
	cons, err := stream.OrderedConsumer(r.t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		r.t.Fatal(err)
	}
	for range n {
		msg, err := cons.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		found[msg.Headers().Get("Gw-Reason")] = msg
	}
	return found
}

// letter returns the one dead letter whose reason contains a text.
func letter(t *testing.T, all map[string]jetstream.Msg, reason string) jetstream.Msg {
	t.Helper()
	for got, msg := range all {
		if strings.Contains(got, reason) {
			return msg
		}
	}
	t.Fatalf("no dead letter says %q; there are %d: %v", reason, len(all), keys(all))
	return nil
}

func keys(all map[string]jetstream.Msg) (list []string) {
	for k := range all {
		list = append(list, k)
	}
	return list
}

// One bad event in a thousand, each bad in its own way: the others are stored,
// it is kept with the reason, and it holds up no one.
func TestPoison(t *testing.T) {
	f := func(t *testing.T, create func(testing.TB) *requestlogtest.Database) {
		r := newRig(t, create)
		bad := map[string][]byte{
			"not readable":                          []byte(`{"v":1,"request_id":`),
			"version 2, this program reads up to 1": bytes.Replace(requestlogtest.Event(1500).Append(nil), []byte(`{"v":1`), []byte(`{"v":2`), 1),
			"request_id":                            bytes.Replace(requestlogtest.Event(2500).Append(nil), []byte(`"gen-`), []byte(`"chatcmpl-`), 1),
			"the database rejects the data":         bytes.Replace(requestlogtest.Event(3500).Append(nil), []byte(`"latency_ms":`), []byte(`"latency_ms":-`), 1),
			"cost_usd: \"much\" is not a decimal":   bytes.Replace(requestlogtest.Event(4500).Append(nil), []byte(`"cost_usd":"`), []byte(`"cost_usd":"much","x":"`), 1),
		}
		reasons := []string{"not readable", "version 2, this program reads up to 1", "request_id", "the database rejects the data", "cost_usd: \"much\" is not a decimal"}
		c := r.start(collector.Options{Primary: true})
		for first := 0; first < 5000; first += 250 {
			var lines [][]byte
			for n := first; n < first+250; n++ {
				lines = append(lines, requestlogtest.Event(n).Append(nil))
			}
			if first%1000 == 500 {
				lines[0] = bad[reasons[first/1000]]
			}
			r.publishLines("node-a", first, 0, lines)
		}
		r.drained("main")
		r.stored(4995)
		all := r.letters()
		if len(all) != 5 {
			t.Errorf("%d dead letters, want 5: %v", len(all), keys(all))
		}
		for i, reason := range reasons {
			msg := letter(t, all, reason)
			frame, err := bus.DecodeFrame(msg.Headers(), msg.Data())
			if err != nil {
				t.Errorf("%s: %v", reason, err)
			}
			seq := uint64(1000*i + 501)
			if frame.Node != "node-a" || frame.Epoch != "epoch-node-a" || frame.First != seq || frame.Last != seq || !bytes.Equal(frame.Lines, bad[reason]) {
				t.Errorf("%s: letter %+v, want event %d as it came", reason, frame, seq)
			}
		}
		if got := c.Status(); got.DeadLettered != 5 || got.Inserted != 4995 || got.Events != 5000 {
			t.Errorf("%+v, want 5 dead letters and 4995 rows of 5000 events", got)
		}
	}
	t.Run("sqlite", func(t *testing.T) { f(t, requestlogtest.SQLite) })
	t.Run("postgres", func(t *testing.T) { f(t, requestlogtest.Postgres) })
}

// Frames that cannot be opened are kept as they came; their node is told that
// they are done.
func TestPoisonedFrames(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	receipts := make(chan *nats.Msg, 100)
	if _, err := r.nc.ChanSubscribe(wire.CommitPrefix+"node-a", receipts); err != nil {
		t.Fatal(err)
	}
	r.start(collector.Options{Primary: true})
	send := func(change func(m *nats.Msg)) {
		t.Helper()
		m, err := bus.EncodeFrame(bus.Frame{Node: "node-a", Epoch: "e", First: 7, Last: 8, Lines: []byte("{}\n{}")})
		if err != nil {
			t.Fatal(err)
		}
		m.Header.Del(nats.MsgIdHdr)
		change(m)
		if err := bus.PublishFrame(t.Context(), r.nc, m); err != nil {
			t.Fatal(err)
		}
	}
	damaged := []byte("not s2 at all")
	send(func(m *nats.Msg) { m.Data = damaged })
	send(func(m *nats.Msg) { m.Header.Set(wire.HeaderVersion, "9") })
	send(func(m *nats.Msg) { m.Header.Set(wire.HeaderNode, "node-b") })
	send(func(m *nats.Msg) { m.Header = nil })
	r.publish("node-a", 100, 0, 10, events(0, 10)...)
	r.drained("main")
	r.stored(10)
	all := r.letters()
	if got := letter(t, all, "s2").Data(); !bytes.Equal(got, damaged) {
		t.Errorf("letter %q, want the frame as it came", got)
	}
	letter(t, all, "version 9")
	letter(t, all, `it names node "node-b"`)
	letter(t, all, "Gw-V")
	if len(all) != 4 {
		t.Errorf("%d dead letters, want 4: %v", len(all), keys(all))
	}
	eventually.True(r.t, "receipts for the frames that named their events", func() bool { return len(receipts) > 0 })
}

// Receipts tell dead letters from what is stored.
func TestReceiptsNameDeadLetters(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	receipts := make(chan *nats.Msg, 100)
	if _, err := r.nc.ChanSubscribe(wire.CommitPrefix+"node-a", receipts); err != nil {
		t.Fatal(err)
	}
	if err := r.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	for n := range 20 {
		lines = append(lines, requestlogtest.Event(n).Append(nil))
	}
	lines[3] = []byte(`{"v":1,"request_id":`)
	lines[4] = bytes.Replace(lines[4], []byte(`"latency_ms":`), []byte(`"latency_ms":-`), 1) // refused by the database
	r.publishLines("node-a", 0, 0, lines)
	damaged, err := bus.EncodeFrame(bus.Frame{Node: "node-a", Epoch: "epoch-node-a", First: 21, Last: 25, Lines: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	damaged.Data = []byte("not s2 at all")
	damaged.Header.Set(wire.HeaderEncoding, "s2")
	if err := bus.PublishFrame(t.Context(), r.nc, damaged); err != nil {
		t.Fatal(err)
	}
	r.start(collector.Options{Primary: true})
	r.drained("main")
	r.stored(18)
	var done, dead uint64
	for done < 25 {
		msg := <-receipts
		receipt, err := wire.DecodeReceipt(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range receipt.Ranges {
			done += span.Last - span.First + 1
		}
		for _, span := range receipt.Dead {
			dead += span.Last - span.First + 1
			if span.Epoch != "epoch-node-a" || span.First != 4 && span.First != 5 && span.First != 21 {
				t.Errorf("a dead letter %+v", span)
			}
		}
	}
	if done != 25 || dead != 7 {
		t.Errorf("receipts for %d events of which %d are dead letters, want 25 and 7", done, dead)
	}
}

// A field that a newer node adds is kept.
func TestUnknownFields(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	r.start(collector.Options{})
	line := bytes.Replace(requestlogtest.Event(0).Append(nil), []byte(`{"v":1`), []byte(`{"v":1,"region":"eu-1","tiers":[1,2]`), 1)
	r.publishLines("node-a", 41, 0, [][]byte{line})
	r.drained("main")
	got := r.db.Query(t, "SELECT metadata, spool_epoch, seq FROM api_logs")
	if len(got) != 1 || strings.Join(got[0], " ") != `{"region":"eu-1","tiers":[1,2]} epoch-node-a 42` {
		t.Errorf("metadata, epoch and number %q", got)
	}
}

// An event is of the node whose subject it came on, whatever it says itself: one
// node's credentials write no rows for another, and nothing of a node that was
// given another name is lost.
func TestTheNodeIsThatOfTheSubject(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	r.start(collector.Options{})
	u := requestlogtest.Event(0)
	u.Node = "node-b"
	r.publish("node-a", 0, 0, 1, u)
	r.drained("main")
	r.stored(1)
	if got := r.db.Query(t, "SELECT node FROM api_logs"); len(got) != 1 || got[0][0] != "node-a" {
		t.Errorf("node %q", got)
	}
}

// A dead letter is never too big to be stored.
func TestHugePoison(t *testing.T) {
	r := newRig(t, requestlogtest.SQLite)
	r.start(collector.Options{})
	r.publishLines("node-a", 0, 0, [][]byte{[]byte(strings.Repeat("x", 4<<20))})
	r.drained("main")
	frame, err := bus.DecodeFrame(letter(t, r.letters(), "not readable").Headers(), letter(t, r.letters(), "not readable").Data())
	if err != nil || len(frame.Lines) != 4<<20 {
		t.Errorf("%d bytes kept, %v; want all", len(frame.Lines), err)
	}
}
