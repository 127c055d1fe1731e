package dispatch

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// A request that may be hedged has, while it has no content, up to two attempts
// under way: its own, and that of a rival, which is a Run of its own on another
// goroutine. They meet in a duel. The first content wins it, by one compare-and-
// swap, and breaks the other attempt off. If the rival wins, the request takes
// over its attempt and goes on as if it had never had another one. Whoever holds
// an attempt ends it; the request waits for its rival before it is closed.

// duel decides between two attempts.
type duel struct {
	winner  atomic.Int32 // the side that won plus one
	cancels [2]upstream.Cancel
}

// The sides of a duel.
const (
	own = iota
	rivals
)

// win makes a side the winner and breaks the other one off; false if that has won.
func (d *duel) win(side int) bool {
	if !d.winner.CompareAndSwap(0, int32(side)+1) { //nolint:gosec // one of two
		return d.won(side)
	}
	d.cancels[1-side].Fire()
	return true
}

// won reports whether a side has won.
func (d *duel) won(side int) bool { return int(d.winner.Load()) == side+1 }

// lostBy reports whether the other side has won.
func (d *duel) lostBy(side int) bool { w := int(d.winner.Load()); return w != 0 && w != side+1 }

// hedging is what a request has of it. The zero value is one that is not hedged.
type hedging struct {
	counted bool      // by the budget
	at      time.Time // when the rival is sent; zero for not
	duel    *duel     // nil while there is one attempt
	side    int
	taken   uint64 // the candidates that rivals have had: a model has at most 64
	rival   *rival // nil without one, or once it has been waited for
	early   []chat.Event
	loser   *snapshot.Endpoint // that was sent the request and broken off
	asked   bool               // there was a rival
	won     bool               // and it has won
	calls   []trace.Call       // of a rival, for the spans of the request
}

// rival is the second attempt.
type rival struct {
	run    Run
	done   chan struct{} // closed at its end: from then on the rest is the request's
	events []chat.Event  // up to the first content
	err    error
}

// errBeaten is why an attempt ends whose rival was faster.
func errBeaten() *fault.Error { return fault.New(fault.Canceled, "Another endpoint was faster") }

// Hedged says whether a second endpoint was asked and whether that was faster, and
// names the endpoint that was sent the request and broken off, nil for none. It
// waits for the end of that attempt; from then on Attempts has it.
func (r *Run) Hedged() (asked, won bool, loser *snapshot.Endpoint) {
	r.awaitRival()
	h := &r.request.hedge
	return h.asked, h.won, h.loser
}

// awaitRival waits for a rival that is still there, and takes note of its attempts.
func (r *Run) awaitRival() {
	h := &r.request.hedge
	v := h.rival
	if v == nil {
		return
	}
	h.duel.cancels[rivals].Fire() // it has lost, or the request is over
	<-v.done
	h.rival = nil
	if v.run.attempt.sent && v.err != nil && isCanceled(v.err) {
		h.loser = v.run.attempt.Endpoint
	}
	r.enlist(v)
	v.run.Close()
}

// enlist takes note of a rival's attempts.
func (r *Run) enlist(v *rival) {
	q := &r.request
	q.attempts = append(q.attempts, v.run.request.attempts...)
	if spans := q.Trace.Spans(); spans != nil {
		for _, c := range v.run.request.hedge.calls {
			spans.Called(c)
		}
	}
}

// canceler is what breaks the attempt off that is about to be sent.
func (r *Run) canceler() *upstream.Cancel {
	q := &r.request
	h, policy := &q.hedge, r.attempt.Model.Hedge
	switch {
	case h.side == rivals:
		return &h.duel.cancels[rivals]
	case policy == nil || !q.MayHedge:
		return q.Cancel
	}
	if !h.counted {
		h.counted = true
		policy.Request()
	}
	if after, ok := policy.After(q.streamed); ok && h.duel == nil {
		h.at = r.attempt.started.Add(after)
	}
	q.Cancel.Detach()
	r.duel = duel{}
	q.Cancel.Attach(&r.duel.cancels[own], &r.duel.cancels[rivals])
	return &r.duel.cancels[own]
}

// proceed takes a step of an attempt that may be hedged, until it has content.
func (r *Run) proceed(until time.Time) ([]chat.Event, error) {
	h := &r.request.hedge
	var events []chat.Event
	var err error
	switch {
	case h.rival != nil:
		events, err = r.contend(until)
	case h.at.IsZero() || until.IsZero():
		events, err = r.step(until)
	default:
		events, err = r.untilHedged(until)
	}
	if err != nil || len(events) == 0 {
		return nil, err
	}
	if !r.request.content && !events[len(events)-1].Done {
		// Only the winner's events may be seen by those who write the answer.
		for i := range events {
			h.early = append(h.early, events[i].Clone())
		}
		return nil, nil
	}
	if early := h.early; len(early) > 0 {
		h.early = nil
		events = append(early, events...)
	}
	return events, nil
}

// untilHedged takes a step, or sends the rival if it is time.
func (r *Run) untilHedged(until time.Time) ([]chat.Event, error) {
	at := r.request.hedge.at
	if time.Now().Before(at) {
		if until.Before(at) {
			return r.step(until)
		}
		if events, err := r.step(at); !errors.Is(err, upstream.ErrSilent) {
			return events, err
		}
		return nil, nil
	}
	r.request.hedge.at = time.Time{}
	r.send2nd()
	return nil, nil
}

// send2nd sends the request to the next endpoint of the model that has a place,
// if the budget allows it.
func (r *Run) send2nd() {
	q := &r.request
	h := &q.hedge
	for i := q.next; i < len(q.Plan); i++ {
		c := q.Plan[i]
		if c.Model != r.attempt.Model || c.Endpoint == r.attempt.Endpoint || c.Model.Queue != nil && c.Model.Queue.Waiting() > 0 {
			continue
		}
		v := &rival{done: make(chan struct{})}
		v.run.Start(Request{
			Task: q.Task, Plan: q.Plan[i : i+1], Cancel: &r.duel.cancels[rivals], Caller: q.Caller, Key: q.Key, Priority: q.Priority,
			ClientRetries: true, Trace: q.Trace, Limits: q.Limits, Need: q.Need,
		})
		v.run.request.deadline = q.deadline
		v.run.request.hedge = hedging{duel: &r.duel, side: rivals}
		if !v.run.pick() {
			v.run.Close()
			continue
		}
		if !c.Model.Hedge.Take() {
			v.run.Close()
			return
		}
		h.taken |= 1 << i
		if err := v.run.encode(); err != nil { // it cannot be said there
			v.run.Close()
			return
		}
		h.duel, h.rival, h.asked = &r.duel, v, true
		go v.ask()
		return
	}
}

// ask waits for the first content, on a goroutine of its own.
func (v *rival) ask() {
	defer close(v.done)
	defer func() {
		if cause := recover(); cause != nil {
			v.err = &fault.Error{Kind: fault.Internal, Message: "Internal server error", Err: fmt.Errorf("BUG: hedge: %v", cause)}
			v.run.attempt.end()
		}
	}()
	const pause = time.Minute // it is woken, and its timeouts end it
	for !v.run.request.content {
		events, err := v.run.Next(pause)
		switch {
		case errors.Is(err, upstream.ErrSilent):
			continue
		case err != nil:
			v.err = err
			return
		}
		for i := range events {
			v.events = append(v.events, events[i].Clone())
			if events[i].Done {
				return
			}
		}
	}
}

// contend takes a step while a rival is under way.
func (r *Run) contend(until time.Time) ([]chat.Event, error) {
	h := &r.request.hedge
	var events []chat.Event
	var err error
	if r.attempt.answer != nil {
		events, err = r.step(until)
	} else {
		err = r.await(until)
	}
	switch {
	case h.duel.lostBy(own):
		return r.takeOver(), nil
	case err == nil || errors.Is(err, upstream.ErrSilent):
		if err == nil && h.duel.won(own) {
			err = r.say()
		}
		return events, err
	case r.attempt.answer == nil || isCanceled(err):
		return nil, err
	}
	// This one has failed, and the other one may not.
	f := r.attempt.redact(fault.From(err))
	r.record(f)
	r.request.refused.note(f, r.attempt.Model)
	r.forgive(f)
	r.attempt.end()
	h.early = nil
	return nil, nil
}

// say has the translator get ready for the answer of this attempt again, after
// the request was said in the rival's language.
func (r *Run) say() error {
	var call codec.Call
	return r.request.Task.Encode(r.attempt.Endpoint.Adapter, &call)
}

// await waits for the rival, once the request's own attempt has failed.
func (r *Run) await(until time.Time) error {
	h := &r.request.hedge
	if until.IsZero() {
		return upstream.ErrSilent
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-h.rival.done:
	case <-timer.C:
		return upstream.ErrSilent
	}
	if h.duel.lostBy(own) {
		return nil
	}
	// Both have failed.
	failed := fault.From(h.rival.err)
	r.awaitRival()
	q := &r.request
	if failed.Kind == fault.Canceled {
		return failed
	}
	q.refused.note(failed, r.attempt.Model)
	r.noteRetryAfter(failed, time.Now())
	if budget := q.Policy.Budget; r.overdue(time.Now()) || !r.hasNext() || budget != nil && !budget.Take(time.Now()) {
		return q.last
	}
	return nil
}

// takeOver makes the rival's attempt the request's own.
func (r *Run) takeOver() []chat.Event {
	q := &r.request
	h := &q.hedge
	v := h.rival
	<-v.done
	h.rival, h.early = nil, nil
	if a := &r.attempt; a.place.Held() {
		h.loser = a.Endpoint
		a.Model.Hedge.Note(q.streamed, time.Since(a.started)) // at least that
		r.record(errBeaten())
		a.end()
	}
	r.enlist(v)
	h.duel, h.won = nil, true
	q.content, q.dropped = v.run.request.content, v.run.request.dropped
	r.attempt, v.run.attempt = v.run.attempt, attempt{}
	r.buffers, v.run.buffers = v.run.buffers, r.buffers
	return v.events
}

// wins reports whether the attempt's answer is the request's, now that it has
// content or ends.
func (r *Run) wins() bool {
	if h := &r.request.hedge; h.duel != nil && !h.duel.win(h.side) {
		return false
	}
	if policy := r.attempt.Model.Hedge; policy != nil && r.request.MayHedge {
		policy.Note(r.request.streamed, time.Since(r.attempt.started))
	}
	return true
}
