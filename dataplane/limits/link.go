package limits

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// turnEvery is how often windows move on and reports are looked for.
	turnEvery = 50 * time.Millisecond
	// reportGap is the shortest time between two reports, failedGap after one
	// without an answer.
	reportGap = 5 * time.Millisecond
	failedGap = 250 * time.Millisecond
	// replyTime is how long an answer may take.
	replyTime = 500 * time.Millisecond
)

// Link keeps a registry's shares current over NATS.
type Link struct {
	Conn     *nats.Conn
	Node     string
	Registry *Registry
	Clock    Clock
	Log      *slog.Logger
}

// Run reports until ctx is done, then gives everything back.
func (l *Link) Run(ctx context.Context) error {
	recalls, err := l.Conn.Subscribe(wire.RecallPrefix+l.Node, func(m *nats.Msg) {
		if counters, err := wire.DecodeRecall(m.Data); err == nil { // else of a newer version
			l.Registry.Recall(counters)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to recalls of shares: %w", err)
	}
	defer func() { _ = recalls.Unsubscribe() }() // fails only on a closed connection
	turned := make(chan struct{})
	turning, stop := context.WithCancel(ctx)
	go func() { defer close(turned); l.turn(turning) }()
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.Registry.Kick():
		case <-tick.C:
		}
		gap := reportGap
		if !l.exchange(ctx, false) {
			gap = failedGap
		}
		select {
		case <-ctx.Done():
		case <-time.After(gap):
		}
	}
	stop()
	<-turned
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTime)
	defer cancel()
	l.exchange(last, true)
	return nil
}

// turn moves windows on, whatever the daemon does.
func (l *Link) turn(ctx context.Context) {
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.Registry.Turn(l.Clock.Now())
		}
	}
}

// exchange sends a report, if there is something to tell, and applies the answer.
func (l *Link) exchange(ctx context.Context, bye bool) bool {
	sent := l.Clock.Now()
	report := l.Registry.Report(sent, bye)
	if report == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, replyTime)
	defer cancel()
	m, err := l.Conn.RequestWithContext(ctx, wire.LeasePrefix+l.Node, report.Append(nil))
	if err == nil {
		var reply *wire.LeaseReply
		if reply, err = wire.DecodeLeaseReply(m.Data); err == nil && l.Registry.Apply(reply, sent, l.Clock.Now()) {
			return true
		}
	}
	if !l.Registry.Outage() && err != nil && !bye {
		l.Log.Warn("nobody grants shares of limits", slog.String("error", err.Error()))
	}
	l.Registry.Failed()
	return false
}
