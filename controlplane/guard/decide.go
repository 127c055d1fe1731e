package guard

import (
	"fmt"
	"strings"
	"time"
)

// Action is what a rollout does next.
type Action string

// The actions.
const (
	// Wait: the step's time is not over, or too few requests have come.
	Wait Action = "wait"
	// Hold: something keeps the rollout where it is.
	Hold Action = "hold"
	// Advance goes to the next step, or ends the rollout after the last.
	Advance Action = "advance"
	// TakeBack returns to the weights from before the rollout.
	TakeBack Action = "take back"
)

// Input is what a decision is made of.
type Input struct {
	Guards []Guard
	// MinRequests is how many requests each guard needs before the rollout goes on.
	MinRequests uint64
	// Left is how much of the step's time is left.
	Left time.Duration
	// New and Others are what the endpoints did in this step, RecentNew and
	// RecentOthers what they did in its last seconds.
	New, Others, RecentNew, RecentOthers Counts
	// Before is what the others did in the step before: it stands in for Others
	// when these get too few requests, as in a last step of 100%.
	Before Counts
	// Overdue is how many streams of the new endpoint wait for their first content
	// for longer than that; nil knows of none.
	Overdue func(time.Duration) uint64
	// Down are nodes that send the new endpoint no requests, while they send some
	// to the others, each with the reason.
	Down []string
	// Blocked says why the rollout cannot go on, whatever was measured; "" for nothing.
	Blocked string
}

// Result is one guard's.
type Result struct {
	Guard string
	// State is one of the States.
	State string
	// Value is what was measured of the new endpoint, Others of the others; ""
	// without requests. Requests are those that Value is of.
	Value, Others string
	Requests      uint64

	level  level
	reason string
	// excused: the other endpoints do no better.
	excused bool
	// lacking: the others have too few requests to compare with.
	lacking bool
}

// The States of a Result.
const (
	StateOK      = "ok"
	StateFailed  = "failed"
	StateWaiting = "waiting" // for requests
	// StateUnclear is not met, by a difference that may be chance, or while the
	// other endpoints do no better.
	StateUnclear = "unclear"
)

// level is how far from chance it is that a guard is not met.
type level uint8

const (
	met      level = iota
	doubtful       // may be chance
	likely         // less than once in 20 times
	certain        // less than once in 1,000 times
)

// Verdict is a decision.
type Verdict struct {
	Action Action
	// Reason says why, in words.
	Reason  string
	Results []Result
}

// Decide says what becomes of a rollout.
//
// It is taken back at once when a node finds the endpoint out of service, or
// when a guard is not met by so much that an endpoint that meets it would show
// this less than once in 1,000 times, however few requests have come. When the
// step's time is over and MinRequests have come, once in 20 times is enough. A guard that
// is not met by less holds the rollout until more requests have come. So does an
// absolute guard that the others miss as much: to return to them would not help.
func Decide(in *Input) Verdict {
	v := Verdict{}
	for _, g := range in.Guards {
		r := g.measure(in, &in.New, &in.Others, in.Overdue)
		if recent := g.measure(in, &in.RecentNew, &in.RecentOthers, nil); recent.level == certain && !recent.excused && r.level != certain {
			recent.reason += " in the last seconds"
			r = recent
		}
		r.settle(in)
		v.Results = append(v.Results, r)
	}
	v.Action, v.Reason = in.act(v.Results)
	return v
}

func (in *Input) act(results []Result) (Action, string) {
	if len(in.Down) > 0 {
		return TakeBack, "out of service on " + strings.Join(in.Down, ", ")
	}
	if why := reasons(results, StateFailed); why != "" {
		return TakeBack, why
	}
	if in.Blocked != "" {
		return Hold, in.Blocked
	}
	if in.Left > 0 {
		return Wait, "the step takes " + in.Left.Truncate(time.Second).String() + " more"
	}
	if why := reasons(results, StateUnclear); why != "" {
		return Hold, why
	}
	if why := reasons(results, StateWaiting); why != "" {
		return Wait, why
	}
	return Advance, reasons(results, StateOK)
}

func reasons(results []Result, state string) string {
	var list []string
	for i := range results {
		if results[i].State == state {
			list = append(list, results[i].reason)
		}
	}
	return strings.Join(list, "; ")
}

// settle turns what was measured into a state.
func (r *Result) settle(in *Input) {
	enough := r.Requests >= in.MinRequests && !r.lacking
	switch {
	case r.level >= likely && r.excused:
		r.State, r.reason = StateUnclear, r.reason+": the other endpoints do no better"
	case r.level == certain, r.level == likely && enough && in.Left <= 0:
		r.State = StateFailed
	case !enough:
		r.State = StateWaiting
		if !r.lacking {
			r.reason = fmt.Sprintf("%s: %d of at least %d requests", r.Guard, r.Requests, in.MinRequests)
		}
	case r.level == met:
		r.State = StateOK
	default:
		r.State, r.reason = StateUnclear, r.reason+", which may be chance"
	}
}

// measure compares the endpoints by one guard.
func (g Guard) measure(in *Input, fresh, others *Counts, overdue func(time.Duration) uint64) Result {
	earlier := g.size(others) < in.MinRequests && g.size(&in.Before) >= in.MinRequests
	if earlier {
		others = &in.Before
	}
	r := Result{Guard: g.String(), Requests: g.size(fresh)}
	if n := g.size(others); g.Relative && n < in.MinRequests {
		r.lacking, r.reason = true, fmt.Sprintf("%s: %d of at least %d requests at the other endpoints", g, n, in.MinRequests)
		return r
	}
	switch g.Metric {
	case metricErrors:
		g.errors(&r, fresh, others)
	case metricCost:
		g.cost(&r, fresh, others)
	default:
		g.firstToken(&r, fresh, others, overdue)
	}
	r.excused = r.excused && !earlier
	r.reason = r.Guard + ": " + r.Value + " of " + fmt.Sprint(r.Requests) + " requests"
	if r.Others != "" {
		r.reason += ", others " + r.Others
	}
	return r
}

// size is how many requests of c the guard can be measured by.
func (g Guard) size(c *Counts) uint64 {
	switch g.Metric {
	case metricErrors:
		return c.Requests
	case metricCost:
		return c.Priced
	}
	return c.timed()
}

// Reason says in words what was measured.
func (r *Result) Reason() string { return r.reason }
