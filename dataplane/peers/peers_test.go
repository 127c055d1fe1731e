package peers_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/peers"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/wire"
)

// node knows one generation and what its keys have cost.
type node struct {
	id    string
	spent map[string]int64
}

func (n node) Recorded(id string) []byte {
	if id != n.id {
		return nil
	}
	u := wire.Usage{RequestID: id, Model: "m-" + id, CostUSD: "0.5"}
	return u.Append(nil)
}

func (n node) Spending(keyID string) snapshot.Spent {
	return snapshot.Spent{Total: n.spent[keyID], Day: 2, Week: 3, Month: 4}
}

func (n node) Explain(q *wire.Question) wire.Explanation {
	return wire.Explanation{Node: n.id, Message: string(q.Body)}
}

// join returns when the server knows the node's subscriptions: what another
// connection asks may overtake them otherwise.
func join(t *testing.T, server *bustest.Server, n node) *peers.Peers {
	conn := server.Connect(n.id)
	p, err := peers.Join(conn, n.id, n)
	if err := errors.Join(err, conn.Flush()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNodesAnswerEachOther(t *testing.T) {
	server := bustest.Start(t)
	var asks *peers.Peers
	for _, n := range []node{{"gen-1", map[string]int64{"k": 5, "": 50}}, {"gen-2", map[string]int64{"k": 7, "": 70}}, {"gen-3", map[string]int64{}}} {
		asks = join(t, server, n)
	}
	for _, id := range []string{"gen-1", "gen-2", "gen-3"} {
		if u := asks.Generation(t.Context(), id); u == nil || u.RequestID != id || u.Model != "m-"+id {
			t.Errorf("%s: %+v", id, u)
		}
	}
	begun := time.Now()
	if u := asks.Generation(t.Context(), "gen-4"); u != nil || time.Since(begun) > 5*time.Second {
		t.Errorf("nobody knows %+v after %s", u, time.Since(begun))
	}
	for key, want := range map[string]int64{"k": 12, "": 120, "other": 0} {
		if s, ok := asks.Spent(key); !ok || s != (snapshot.Spent{Total: want, Day: 6, Week: 9, Month: 12}) {
			t.Errorf("%q: %+v %v, want %d", key, s, ok, want)
		}
	}
}

// The control plane knows what was spent before the nodes' starts; nodes know
// what is still on its way to the log.
func TestTheLedgerKnowsMore(t *testing.T) {
	server := bustest.Start(t)
	asks := join(t, server, node{"gen-1", map[string]int64{"old": 5, "new": 700}})
	control := server.Connect("control")
	if _, err := control.Subscribe(wire.AskLedger, func(m *nats.Msg) {
		answer := wire.Spent{Total: 100, Day: 1, Week: 30, Month: 40}.Encode()
		if string(m.Data) == "broken" {
			answer = nil
		}
		_ = m.Respond(answer)
	}); err != nil {
		t.Fatal(err)
	}
	// Another connection asks: the server has to know the subscription by then.
	if err := control.Flush(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]snapshot.Spent{
		"old": {Total: 100, Day: 2, Week: 30, Month: 40}, "new": {Total: 700, Day: 2, Week: 30, Month: 40}, "broken": {Day: 2, Week: 3, Month: 4},
	} {
		if s, ok := asks.Spent(key); !ok || s != want {
			t.Errorf("%s: %+v %v, want %+v", key, s, ok, want)
		}
	}
}

func TestOneNodeExplains(t *testing.T) {
	server := bustest.Start(t)
	for _, id := range []string{"node-1", "node-2"} {
		join(t, server, node{id: id})
	}
	asks := server.Connect("control")
	q := wire.Question{Body: []byte(`{"model":"m"}`)}
	text, err := q.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]string{wire.AskExplain: "", wire.AskExplain + ".node-2": "node-2"} {
		sub, err := asks.SubscribeSync(asks.NewInbox())
		if err != nil {
			t.Fatal(err)
		}
		if err := asks.PublishRequest(subject, sub.Subject, text); err != nil {
			t.Fatal(err)
		}
		m, err := sub.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		e, err := wire.DecodeExplanation(m.Data)
		if err != nil || e.Message != `{"model":"m"}` || want != "" && e.Node != want {
			t.Errorf("%s: %+v, %v", subject, e, err)
		}
		if m, err := sub.NextMsg(100 * time.Millisecond); err == nil {
			t.Errorf("%s: a second answer %s", subject, m.Data)
		}
	}
}

func TestNobodyCanBeAsked(t *testing.T) {
	server := bustest.Start(t)
	conn := server.Connect("alone")
	p, err := peers.Join(conn, "alone", node{id: "gen-1"})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if u := p.Generation(t.Context(), "gen-1"); u != nil {
		t.Errorf("%+v", u)
	}
	if s, ok := p.Spent("k"); ok {
		t.Errorf("%+v", s)
	}
}
