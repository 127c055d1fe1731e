package snapshot

import (
	"iter"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// All lists the endpoints that could serve, those of weight 0 included.
func (s *Snapshot) All() iter.Seq[*Endpoint] {
	return func(yield func(*Endpoint) bool) {
		for _, m := range s.Models {
			for _, list := range [][]*Endpoint{m.Endpoints, m.Parked} {
				for _, e := range list {
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

// Troubled lists the endpoints that are not in order, wire.MaxTroubled at most.
func (s *Snapshot) Troubled(now time.Time) []wire.EndpointState {
	var out []wire.EndpointState
	for e := range s.All() {
		word, reason := e.State.Condition(now)
		if word == "closed" {
			if !e.Full() {
				continue
			}
			word = "full"
		}
		t := wire.EndpointState{Endpoint: e.ID, State: word, Reason: reason, InFlight: e.State.InFlight.Load()}
		if until := e.State.Until(now); word != "probe_failed" && !until.IsZero() {
			t.Until = until.UnixMilli()
		}
		if out = append(out, t); len(out) == wire.MaxTroubled {
			break
		}
	}
	return out
}
