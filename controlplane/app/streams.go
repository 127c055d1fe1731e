package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/bus"
)

const (
	// ensureEvery is how often the streams of usage events are checked.
	ensureEvery = 10 * time.Second
	ensureTime  = 5 * time.Second
	// collectTime is how long a store may be without a collector, as during a
	// restart, before that is a problem.
	collectTime = 30 * time.Second
	// fullTenths of a stream's room are a problem.
	fullTenths = 8
)

// keepStreams makes the streams of usage events, and again should they vanish,
// so that nodes can hand over events before the first collector runs. It also
// watches that collectors take them.
func (a *App) keepStreams(ctx context.Context) error {
	for {
		if a.conn.IsConnected() {
			bounded, cancel := context.WithTimeout(ctx, ensureTime)
			err := a.lookAtStreams(bounded)
			cancel()
			if ctx.Err() == nil {
				a.usage.report(err)
			}
			if err != nil && ctx.Err() == nil {
				a.o.Log.Warn("usage event streams are missing or misconfigured", slog.String("error", err.Error()))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(ensureEvery):
		}
	}
}

func (a *App) lookAtStreams(ctx context.Context) error {
	if _, err := bus.EnsureUsage(ctx, a.conn, bus.Limits{Replicas: a.o.Replicas}); err != nil {
		return err
	}
	sinks, frames, _, err := bus.Sinks(ctx, a.conn)
	if err != nil {
		return err
	}
	fills, err := bus.Fills(ctx, a.conn)
	if err == nil {
		a.usage.saw(sinks, fills, frames, time.Now())
	}
	return err
}

// usageWatch knows whether usage events are stored in NATS and collected.
type usageWatch struct {
	mu  sync.Mutex
	err error
	// began is when it looked first; sinks are the stores by name.
	began  time.Time
	frames uint64
	sinks  map[string]sinkWatch
	fills  []bus.Fill
}

// sinkWatch is one store.
type sinkWatch struct {
	bus.Sink
	// active is when a collector of it was last seen at work.
	active time.Time
}

func (u *usageWatch) report(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.err = err
}

func (u *usageWatch) saw(sinks []bus.Sink, fills []bus.Fill, frames uint64, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.began.IsZero() {
		u.began = now
	}
	next := make(map[string]sinkWatch, len(sinks))
	for _, s := range sinks {
		before, known := u.sinks[s.Name]
		active := before.active
		if !known || s.Pulling || s.Delivered != before.Delivered {
			active = now
		}
		next[s.Name] = sinkWatch{s, active}
	}
	u.sinks, u.fills, u.frames = next, fills, frames
}

// problems says what is wrong at a time.
func (u *usageWatch) problems(now time.Time) (list []adminapi.Problem) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		list = append(list, adminapi.Problem{Code: adminapi.ProblemNATSStore, Message: "NATS does not store usage events, they are buffered on the nodes: " + u.err.Error()})
	}
	if len(u.sinks) == 0 && !u.began.IsZero() && now.Sub(u.began) > collectTime {
		list = append(list, adminapi.Problem{Code: adminapi.ProblemCollector, Message: fmt.Sprintf("no collector has ever run: %d frames of usage events are pending in NATS", u.frames)})
	}
	for name, s := range u.sinks {
		if idle := now.Sub(s.active); idle > collectTime {
			list = append(list, adminapi.Problem{Code: adminapi.ProblemCollector, Message: fmt.Sprintf(
				"no collector has fetched usage events for %s in the last %s; %d frames pending, %d not acknowledged", name, idle.Round(time.Second), s.Waiting, s.InHand,
			)})
		}
	}
	for _, f := range u.fills {
		if f.Limit > 0 && f.Used >= f.Limit/10*fullTenths {
			list = append(list, adminapi.Problem{Code: adminapi.ProblemUsageStream, Message: fmt.Sprintf(
				"stream %s in NATS is %d %% full: %d of %d bytes; what it does not take stays with its sender", f.Stream, f.Used*100/f.Limit, f.Used, f.Limit,
			)})
		}
	}
	return list
}
