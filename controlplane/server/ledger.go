package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// settled is how old events are that must have their rows.
const settled = 5 * time.Minute

// ledger says where every usage event is.
func (s *Server) ledger(ctx context.Context, in adminapi.LedgerQuery) (adminapi.Ledger, error) {
	var out adminapi.Ledger
	since, err := moments("since", in.Since, time.UTC)
	if err != nil {
		return out, err
	}
	out.Nodes, out.Sum = s.balances()
	letters, err := s.ledgerOfNATS(ctx, &out)
	if err != nil {
		return out, problemf(http.StatusServiceUnavailable, "NATS is unavailable: %s", err)
	}
	if s.o.LogStore == nil {
		return out, nil
	}
	gaps, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.Gap, error) {
		return s.o.LogStore.Gaps(ctx, since, time.Now().Add(-settled))
	})
	for _, gap := range gaps {
		out.Gaps = append(out.Gaps, without(gap, letters)...)
	}
	return out, err
}

// without returns what of a gap is not among the dead letters.
func without(gap requestlog.Gap, letters []bus.DeadLetter) []adminapi.Gap {
	left := []adminapi.Gap{adminapi.Gap(gap)}
	for i := range letters {
		h := letters[i].Header
		first, err1 := strconv.ParseUint(h.Get(wire.HeaderFirst), 10, 64)
		last, err2 := strconv.ParseUint(h.Get(wire.HeaderLast), 10, 64)
		if err1 != nil || err2 != nil || first == 0 || h.Get(wire.HeaderNode) != gap.Node || h.Get(wire.HeaderEpoch) != gap.Epoch {
			continue
		}
		var next []adminapi.Gap
		for _, g := range left {
			if last < g.First || first > g.Last {
				next = append(next, g)
				continue
			}
			if g.First < first {
				next = append(next, adminapi.Gap{Node: g.Node, Epoch: g.Epoch, First: g.First, Last: first - 1})
			}
			if last < g.Last {
				next = append(next, adminapi.Gap{Node: g.Node, Epoch: g.Epoch, First: last + 1, Last: g.Last})
			}
		}
		left = next
	}
	return left
}

// ledgerOfNATS adds what is on its way, and returns the dead letters.
func (s *Server) ledgerOfNATS(ctx context.Context, out *adminapi.Ledger) ([]bus.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	sinks, frames, bytes, err := bus.Sinks(ctx, s.o.Conn)
	if err != nil {
		return nil, err
	}
	for _, one := range sinks {
		out.Sinks = append(out.Sinks, adminapi.Sink{Sink: one.Name, Waiting: one.Waiting, InHand: one.InHand})
	}
	out.StreamFrames, out.StreamBytes = frames, bytes
	letters, total, err := bus.DeadLetters(ctx, s.o.Conn, 0, maxLetters)
	out.DeadLetters = total
	return letters, err
}

// balances are those of the nodes that are not gone, and all together.
func (s *Server) balances() ([]adminapi.Balance, adminapi.Balance) {
	var list []adminapi.Balance
	sum := adminapi.Balance{Node: "all", Balanced: true}
	for _, n := range s.o.Nodes.List() {
		if n.State == nodes.Gone {
			continue
		}
		u := n.Usage
		b := adminapi.Balance{
			Node: n.Node, State: string(n.State), Issued: u.Issued, Stored: u.Stored, DeadLettered: u.DeadLettered, InTransit: u.Acked - u.Stored - u.DeadLettered,
			Pending: u.Pending, Lost: u.Lost, SpooledBytes: u.Spooled,
			Balanced: u.Issued == u.Acked+u.Pending+u.Lost && u.Stored+u.DeadLettered <= u.Acked,
		}
		list = append(list, b)
		add(&sum, &b)
	}
	return list, sum
}

func add(sum, b *adminapi.Balance) {
	sum.Issued += b.Issued
	sum.Stored += b.Stored
	sum.DeadLettered += b.DeadLettered
	sum.InTransit += b.InTransit
	sum.Pending += b.Pending
	sum.Lost += b.Lost
	sum.SpooledBytes += b.SpooledBytes
	sum.Balanced = sum.Balanced && b.Balanced
}
