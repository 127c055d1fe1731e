// Package peers lets the nodes of a fleet ask each other for what only one of
// them, or all together, know: a generation that another node has answered, and
// what a key has cost in the whole fleet. There is no wait for a node that is gone:
// a question has its time, and what was said until then is the answer.
package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// findTime bounds the wait for the one node that knows a generation.
	findTime = 500 * time.Millisecond
	// sumTime is how long all nodes have to tell what a key has cost. How many
	// there are no node knows, so that every such question takes this long.
	sumTime = 150 * time.Millisecond
	// ledgerTime is how long the control plane has to tell it.
	ledgerTime = time.Second
)

// Local is what a node reports of itself.
type Local interface {
	// Recorded returns the usage event of a recent generation as it is sent to
	// the collector, nil if this node does not know it.
	Recorded(id string) []byte
	// Spending is what a key has cost at this node, or all keys for "".
	Spending(keyID string) snapshot.Spent
	// Explain says what would become of a request.
	Explain(q *wire.Question) wire.Explanation
}

// Peers asks and answers.
type Peers struct{ conn *nats.Conn }

// Join begins to answer, as the node of that name, questions of other nodes
// and of the control plane, until the connection is closed.
func Join(conn *nats.Conn, node string, local Local) (*Peers, error) {
	answers := map[string]func(asked string) []byte{
		wire.AskGeneration: local.Recorded,
		wire.AskSpent: func(keyID string) []byte {
			s := wire.Spent(local.Spending(keyID))
			return s.Encode()
		},
	}
	for subject, answer := range answers {
		if _, err := conn.Subscribe(subject, func(m *nats.Msg) {
			if out := answer(string(m.Data)); out != nil {
				bus.Answer(m, out)
			}
		}); err != nil {
			return nil, fmt.Errorf("answer other nodes: %w", err)
		}
	}
	explain := func(m *nats.Msg) {
		q, err := wire.DecodeQuestion(m.Data)
		if err != nil {
			return // of a newer version: another node may know it
		}
		answer := local.Explain(q)
		if out, err := answer.Encode(); err == nil {
			bus.Answer(m, out)
		}
	}
	if _, err := conn.QueueSubscribe(wire.AskExplain, "nodes", explain); err != nil {
		return nil, fmt.Errorf("answer questions: %w", err)
	}
	if _, err := conn.Subscribe(wire.AskExplain+"."+node, explain); err != nil {
		return nil, fmt.Errorf("answer questions: %w", err)
	}
	return &Peers{conn: conn}, nil
}

// Generation asks all nodes for a generation, nil if none knows it.
func (p *Peers) Generation(ctx context.Context, id string) *wire.Usage {
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	m, err := p.conn.RequestWithContext(ctx, wire.AskGeneration, []byte(id))
	if err != nil {
		return nil // unknown, or no other node can be asked
	}
	u, err := wire.DecodeUsage(m.Data)
	if err != nil {
		return nil // of a newer version
	}
	return u
}

// Spent is what a key, or all keys for "", have cost: what the request log
// says, or all nodes in sum where that is more, since it may be a moment behind
// or not answer. It is false if no other node can be asked.
func (p *Peers) Spent(keyID string) (snapshot.Spent, bool) {
	ledger := make(chan *snapshot.Spent, 1)
	go func() { ledger <- p.ledger(keyID) }()
	sum, ok := p.sum(keyID)
	l := <-ledger
	if l == nil {
		return sum, ok
	}
	return snapshot.Spent{Total: max(sum.Total, l.Total), Day: max(sum.Day, l.Day), Week: max(sum.Week, l.Week), Month: max(sum.Month, l.Month)}, true
}

// ledger asks the control plane, nil if it does not answer.
func (p *Peers) ledger(keyID string) *snapshot.Spent {
	m, err := p.conn.Request(wire.AskLedger, []byte(keyID), ledgerTime)
	if err != nil {
		return nil
	}
	var s wire.Spent
	if json.Unmarshal(m.Data, &s) != nil {
		return nil
	}
	return (*snapshot.Spent)(&s)
}

// sum adds up what all nodes say, false if they cannot be asked.
func (p *Peers) sum(keyID string) (sum snapshot.Spent, ok bool) {
	inbox := p.conn.NewInbox()
	sub, err := p.conn.SubscribeSync(inbox)
	if err != nil {
		return sum, false
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := p.conn.PublishRequest(wire.AskSpent, inbox, []byte(keyID)); err != nil {
		return sum, false
	}
	for end := time.Now().Add(sumTime); ; {
		m, err := sub.NextMsg(time.Until(end))
		if err != nil {
			return sum, ok
		}
		var s wire.Spent
		if json.Unmarshal(m.Data, &s) != nil || len(m.Data) == 0 {
			continue
		}
		ok = true
		sum.Total += s.Total
		sum.Day += s.Day
		sum.Week += s.Week
		sum.Month += s.Month
	}
}
