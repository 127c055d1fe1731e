package gateway

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// shadowBytes bounds the bodies that a node keeps for its shadows.
	shadowBytes = 64 << 20
	// shadowTime is the longest that a shadow takes.
	shadowTime = 15 * time.Minute
	// shadowStop is how long a stopping node waits for shadows that it has broken off.
	shadowStop = time.Second
)

// shadows are a node's copies of requests, sent to other endpoints for comparison.
// Clients' requests are counted without them, and end without them.
type shadows struct {
	inFlight, held atomic.Int64

	mu      sync.Mutex
	closed  bool
	running map[*shadow]*upstream.Cancel
	group   sync.WaitGroup
}

// room takes a place for a shadow with a body of that size; why there is none.
func (s *shadows) room(g *Gateway, size int64) (why metrics.Drop, ok bool) {
	switch {
	case g.draining.Load():
		return metrics.DropDraining, false
	case 2*g.inFlight.Load() > g.opts.MaxInFlight, 2*g.held.Load() > g.opts.MaxHeld:
		return metrics.DropLoad, false
	case s.inFlight.Add(1) > g.opts.MaxShadows:
		s.inFlight.Add(-1)
		return metrics.DropInFlight, false
	case s.held.Add(size) > shadowBytes:
		s.leave(size)
		return metrics.DropMemory, false
	}
	return 0, true
}

func (s *shadows) leave(size int64) {
	s.held.Add(-size)
	s.inFlight.Add(-1)
}

// begin notes a shadow that runs, false if the node stops.
func (s *shadows) begin(one *shadow, c *upstream.Cancel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.running == nil {
		s.running = map[*shadow]*upstream.Cancel{}
	}
	s.running[one] = c
	s.group.Add(1)
	return true
}

func (s *shadows) end(one *shadow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, one)
	s.group.Done()
}

// breakOff ends a shadow, if it still runs.
func (s *shadows) breakOff(one *shadow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.running[one]; c != nil {
		c.Fire()
	}
}

// stop breaks off all shadows.
func (s *shadows) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.running {
		c.Fire()
	}
}

// settled waits until the shadows that were broken off have their usage events.
func (s *shadows) settled() {
	done := make(chan struct{})
	go func() {
		s.group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(shadowStop):
	}
}

// Shadows is the number of copies of requests that are under way.
func (g *Gateway) Shadows() int64 { return g.shadows.inFlight.Load() }

// shadow is one copy of a request on its way to an endpoint.
type shadow struct {
	generator *generator
	candidate route.Candidate
	of        string // the id of the request
	requested string // the model as the client named it
	snap      *snapshot.Snapshot
	key       *snapshot.Key
	ctx       *fasthttp.RequestCtx // of its own, with the request's head
	body      []byte               // the request's, which no one changes any more
}

// run carries the shadow out, in an exchange of its own whose answer goes nowhere.
func (s *shadow) run() {
	r := s.generator
	g := r.gateway
	defer g.shadows.leave(int64(len(s.body)))
	x, ok := r.idle.Get().(*exchange)
	if !ok {
		x = newExchange(r)
	}
	if !g.shadows.begin(s, &x.attempt.cancel) {
		r.idle.Put(x)
		s.drop(metrics.DropDraining)
		return
	}
	defer func() {
		if reason := recover(); reason != nil {
			g.panicked(reason)
			x.broken = true
			x.account.settle(wire.EndUpstreamError, 500, internalFault())
		}
		g.shadows.end(s)
		x.recycle()
	}()
	s.carryOut(x)
}

// carryOut sends the copy and accounts for the answer.
func (s *shadow) carryOut(x *exchange) {
	g := x.generator.gateway
	x.caller = caller{ctx: s.ctx, headers: headersOf(s.ctx), snap: s.snap, key: s.key, started: time.Now()}
	x.account.id, x.account.shadowOf, x.account.compared = newGenerationID(x.caller.started), s.of, true
	if err := x.translator.Parse(s.body, &x.caller.headers); err != nil {
		panic("BUG: a copy of a request cannot be parsed: " + err.Error()) // the request could
	}
	a := &x.attempt
	a.req.Model = s.requested
	a.targets = append(a.targets, route.Target{Model: s.candidate.Model})
	a.plan.Only(s.candidate)
	a.run.Start(dispatch.Request{
		Task: a.translator, Plan: a.plan.Candidates(), Cancel: &a.cancel, Caller: route.Hash(s.key.ID), ClientRetries: true, Spare: true,
		Policy: dispatch.Policy{Deadline: g.opts.Deadline}, Limits: dispatch.Limits{Registry: g.opts.Limits, Clock: g.opts.LimitsClock}, Need: x.admission.endpoints(),
	})
	tooLong := time.AfterFunc(shadowTime, func() { g.shadows.breakOff(s) })
	err := s.read(x)
	overdue := !tooLong.Stop()
	for _, made := range a.run.Attempts() {
		s.candidate.Endpoint.Metrics.Attempted(made.Kind)
	}
	if err == nil {
		x.account.settle(wire.EndComplete, 200, nil)
		s.candidate.Endpoint.Metrics.Shadowed(true)
		return
	}
	f := fault.From(err)
	if len(a.run.Attempts()) == 0 && f.Kind != fault.Canceled {
		s.drop(metrics.DropEndpoint) // which has no room to spare: nothing was sent
		return
	}
	if overdue {
		f = fault.New(fault.Timeout, "The answer took longer than %s", shadowTime)
	}
	x.account.settle(endOf(f), a.problem(f).Status, f)
	s.candidate.Endpoint.Metrics.Shadowed(false)
}

// read takes in the answer up to its end.
func (s *shadow) read(x *exchange) error {
	for {
		events, err := x.attempt.run.Next(x.generator.gateway.opts.KeepAlive)
		if errors.Is(err, upstream.ErrSilent) {
			continue
		}
		if err != nil {
			return err
		}
		for i := range events {
			x.account.note(&events[i])
			if events[i].Done {
				return nil
			}
		}
	}
}

func (s *shadow) drop(why metrics.Drop) { s.candidate.Endpoint.Metrics.ShadowDropped(why) }
