package server

import (
	"context"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
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
	if err := s.ledgerOfNATS(ctx, &out); err != nil {
		return out, problemf(http.StatusServiceUnavailable, "NATS does not answer: %s", err)
	}
	if s.o.LogStore == nil {
		return out, nil
	}
	gaps, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.Gap, error) {
		return s.o.LogStore.Gaps(ctx, since, time.Now().Add(-settled))
	})
	for _, gap := range gaps {
		out.Gaps = append(out.Gaps, adminapi.Gap(gap))
	}
	return out, err
}

// ledgerOfNATS adds what is on its way.
func (s *Server) ledgerOfNATS(ctx context.Context, out *adminapi.Ledger) error {
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	sinks, frames, bytes, err := bus.Sinks(ctx, s.o.Conn)
	if err != nil {
		return err
	}
	for _, one := range sinks {
		out.Sinks = append(out.Sinks, adminapi.Sink{Sink: one.Name, Waiting: one.Waiting, InHand: one.InHand})
	}
	out.StreamFrames, out.StreamBytes = frames, bytes
	_, out.DeadLetters, err = bus.DeadLetters(ctx, s.o.Conn, 0, 0)
	return err
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
			Node: n.Node, State: string(n.State), Issued: u.Issued, Stored: u.Acked, Pending: u.Pending, Lost: u.Lost, SpooledBytes: u.Spooled,
			Balanced: u.Issued == u.Acked+u.Pending+u.Lost,
		}
		list = append(list, b)
		add(&sum, &b)
	}
	return list, sum
}

func add(sum, b *adminapi.Balance) {
	sum.Issued += b.Issued
	sum.Stored += b.Stored
	sum.Pending += b.Pending
	sum.Lost += b.Lost
	sum.SpooledBytes += b.SpooledBytes
	sum.Balanced = sum.Balanced && b.Balanced
}
