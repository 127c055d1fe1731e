// Package alerts reports limits that are nearly used up: in the audit log, on
// NATS and by a webhook. It is the daemon that grants which does, and nothing
// waits for it.
package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// checkEvery is how often thresholds are compared with what was used.
	checkEvery = time.Second
	// storeTime bounds each use of the database.
	storeTime = 5 * time.Second
)

// Options configure a Watcher.
type Options struct {
	// Thresholds are percentages of a limit, ascending.
	Thresholds []int
	// Webhook gets each alert; nil for none.
	Webhook *Webhook
	// Crossed are the limits that have crossed a threshold, as limits.Service.Crossed.
	Crossed func(thresholds []int) []limits.Crossing
	// State is the control state, Table the current key table, nil before there is one.
	State func() (*controlstate.State, error)
	Table func() *wire.KeyTable
	Conn  *nats.Conn
	Log   *slog.Logger
}

// Watcher raises alerts.
type Watcher struct {
	o Options
	// known are the alerts that need not be recorded again.
	known map[mark]bool
	// raised wakes the delivery.
	raised chan struct{}
}

// mark is what an alert is raised once for.
type mark struct {
	counter, period uint64
	value           int64
	percent         int
}

// New returns a watcher that works once it runs.
func New(o Options) *Watcher {
	return &Watcher{o: o, known: map[mark]bool{}, raised: make(chan struct{}, 1)}
}

// Run raises and delivers alerts until ctx is done.
func (w *Watcher) Run(ctx context.Context) error {
	delivered := make(chan struct{})
	go func() { defer close(delivered); w.deliver(ctx) }()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			w.check(ctx)
		}
	}
	<-delivered
	return nil
}

// check raises what is new. What fails is tried again at the next check.
func (w *Watcher) check(ctx context.Context) {
	crossed := w.o.Crossed(w.o.Thresholds)
	current := make(map[mark]bool, len(crossed))
	for i := range crossed {
		c := &crossed[i]
		m := mark{c.Counter, c.Period, c.Value, c.Percent}
		if w.known[m] {
			current[m] = true
			continue
		}
		if err := w.raise(ctx, c); err != nil {
			w.o.Log.WarnContext(ctx, "an alert could not be recorded", slog.String("holder", c.Holder+" "+c.ID), slog.String("error", err.Error()))
			continue
		}
		current[m] = true
	}
	w.known = current
}

// raise records an alert and publishes it, unless it was raised before.
func (w *Watcher) raise(ctx context.Context, c *limits.Crossing) error {
	db, err := w.o.State()
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Second)
	event := w.event(c, now)
	text, err := event.Encode()
	if err != nil {
		return err
	}
	detail, err := json.Marshal(map[string]any{"limit": c.Name(), "percent": c.Percent, "used": event.Used, "of": event.Limit})
	if err != nil {
		return err
	}
	alert := controlstate.Alert{
		Counter: strconv.FormatUint(c.Counter, 16), Period: c.Period, Value: c.Value, Percent: c.Percent, Event: string(text), Created: now, Delivery: controlstate.DeliveryNone,
	}
	if w.o.Webhook != nil {
		alert.Delivery = controlstate.DeliveryPending
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	fresh, err := db.RecordAlert(ctx, alert, controlstate.Entry{Author: "controlplane", Action: "limit.alert", Target: target(c), Detail: string(detail)})
	if err != nil || !fresh {
		return err
	}
	w.o.Log.WarnContext(ctx, "a limit is nearly or fully used", slog.String("holder", target(c)), slog.String("limit", c.Name()), slog.Int("percent", c.Percent))
	select {
	case w.raised <- struct{}{}:
	default: // it is awake
	}
	return w.o.Conn.Publish(wire.LimitAlertSubject, text)
}

// target is such as "team:t_1", or "gateway".
func target(c *limits.Crossing) string {
	if c.ID == "" {
		return c.Holder
	}
	return c.Holder + ":" + c.ID
}

func (w *Watcher) event(c *limits.Crossing, now time.Time) wire.LimitAlert {
	amount := func(n int64) string {
		if c.Kind == wire.LimitBudget {
			return wire.FormatUSD(n)
		}
		return strconv.FormatInt(n, 10)
	}
	a := wire.LimitAlert{
		ID: fmt.Sprintf("%x-%d-%d-%d", c.Counter, c.Period, c.Value, c.Percent), Time: now, Percent: c.Percent,
		Holder: c.Holder, HolderID: c.ID, HolderName: w.name(c), Kind: c.Kind, Reset: c.Reset, Model: c.Model, Provider: c.Provider,
		Limit: amount(c.Value), Used: amount(c.Used),
	}
	if !c.Ends.IsZero() {
		a.ResetsAt = &c.Ends
	}
	return a
}

// name is that of a key or a team.
func (w *Watcher) name(c *limits.Crossing) string {
	t := w.o.Table()
	if t == nil {
		return ""
	}
	for i := range t.Teams {
		if c.Holder == wire.HolderTeam && t.Teams[i].ID == c.ID {
			return t.Teams[i].Name
		}
	}
	for i := range t.Keys {
		if c.Holder == wire.HolderKey && t.Keys[i].ID == c.ID {
			return t.Keys[i].Name
		}
	}
	return ""
}
