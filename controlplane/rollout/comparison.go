package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/wire"
)

// comparison is what the nodes of a canary and the others have done, as far as this
// daemon has heard.
type comparison struct {
	id string
	// all compares all models that the canary changes: by it the canary goes on. Parts
	// compares each of these and each endpoint that is new or was changed: by them it
	// is only taken back or held.
	all   *part
	parts []*part
	// away is since when nodes of the canary are not live.
	away    map[string]time.Time
	verdict CanaryVerdict
}

// part is a part of the traffic.
type part struct {
	of string
	// fresh are the endpoints that count at the canary's nodes, others those that count elsewhere.
	fresh, others map[string]bool
	window        *window
}

func compare(c *controlstate.Canary, base *wire.Snapshot) *comparison {
	x := &comparison{id: c.ID, all: newPart(""), away: map[string]time.Time{}}
	for _, s := range []*wire.Snapshot{&c.Release.Snapshot, base} {
		for i := range s.Models {
			m := &s.Models[i]
			if !slices.Contains(c.Models, m.ID) {
				continue
			}
			p := x.part(m.ID)
			for j := range m.Endpoints {
				id := m.Endpoints[j].ID
				for _, q := range []*part{x.all, p} {
					q.fresh[id], q.others[id] = true, true
				}
			}
		}
	}
	for _, id := range c.Endpoints {
		i := slices.IndexFunc(x.parts, func(p *part) bool { return p.fresh[id] })
		if i < 0 {
			continue
		}
		p := newPart(id)
		p.fresh[id], p.others = true, x.parts[i].others
		x.parts = append(x.parts, p)
	}
	return x
}

func newPart(of string) *part {
	return &part{of: of, fresh: map[string]bool{}, others: map[string]bool{}, window: newWindow()}
}

// part returns the one of a model.
func (x *comparison) part(model string) *part {
	for _, p := range x.parts {
		if p.of == model {
			return p
		}
	}
	p := newPart(model)
	x.parts = append(x.parts, p)
	return p
}

// serves reports whether a node serves the canary.
func serves(n *nodes.Node, c *controlstate.Canary) bool {
	return n.Canary != nil && n.Canary.Number == c.Release.Number && n.Canary.Hash == c.Release.Hash && n.Canary.State == wire.StateApplied
}

func (p *part) judge(now time.Time, c *controlstate.Canary, guards []guard.Guard, list []nodes.Node) guard.Verdict {
	p.window.observe(now, func(n *nodes.Node, endpoint string) side {
		switch named := slices.Contains(c.Nodes, n.Node); {
		case named && serves(n, c) && p.fresh[endpoint]:
			return fresh
		case !named && p.others[endpoint]:
			return others
		}
		return neither
	}, list)
	return guard.Decide(p.window.measured(guards, c.MinRequests, c.Takes-now.Sub(c.Created), list))
}

func (x *comparison) judge(now time.Time, c *controlstate.Canary, guards []guard.Guard, list []nodes.Node) CanaryVerdict {
	v := x.all.judge(now, c, guards, list)
	out := CanaryVerdict{Action: v.Action, Reason: v.Reason}
	for _, r := range v.Results {
		out.Results = append(out.Results, CanaryResult{Result: r})
	}
	var failed, unclear []string
	for _, p := range x.parts {
		v := p.judge(now, c, guards, list)
		for _, r := range v.Results {
			out.Results = append(out.Results, CanaryResult{p.of, r})
			switch text := p.of + ": " + r.Reason(); r.State {
			case guard.StateFailed:
				failed = append(failed, text)
			case guard.StateUnclear:
				unclear = append(unclear, text)
			}
		}
	}
	bad, waiting := x.inspect(now, c, list)
	switch {
	case len(bad) > 0:
		out.Action, out.Reason = guard.TakeBack, strings.Join(bad, "; ")
	case out.Action == guard.TakeBack:
	case len(failed) > 0:
		out.Action, out.Reason = guard.TakeBack, strings.Join(failed, "; ")
	case len(waiting) > 0:
		out.Action, out.Reason = guard.Hold, strings.Join(waiting, "; ")
	case out.Action == guard.Advance && len(unclear) > 0:
		out.Action, out.Reason = guard.Hold, strings.Join(unclear, "; ")
	}
	return out
}

// inspect says what is wrong at the canary's nodes: what has it taken back, and what
// keeps it from going on.
func (x *comparison) inspect(now time.Time, c *controlstate.Canary, list []nodes.Node) (bad, waiting []string) {
	for _, name := range c.Nodes {
		i := slices.IndexFunc(list, func(n nodes.Node) bool { return n.Node == name && n.State == nodes.Live })
		if i < 0 {
			since, known := x.away[name]
			if !known {
				since = now
				x.away[name] = now
			}
			if gone := now.Sub(since); gone >= silentTime {
				bad = append(bad, fmt.Sprintf("%s has not been live for %s", name, gone.Truncate(time.Second)))
			} else {
				waiting = append(waiting, name+" is not live")
			}
			continue
		}
		delete(x.away, name)
		n := &list[i]
		switch s := n.Canary; {
		case s != nil && s.Number == c.Release.Number && s.Hash == c.Release.Hash && s.State == wire.StateRejected:
			bad = append(bad, name+" rejected it: "+s.Reason)
		case !serves(n, c):
			waiting = append(waiting, name+" does not serve it yet")
		}
		for _, m := range n.Missing {
			if slices.Contains(c.Endpoints, m.Endpoint) {
				waiting = append(waiting, fmt.Sprintf("%s is not set on %s, so %s is out of service there", m.Variable, name, m.Endpoint))
			}
		}
		for _, id := range down(n, c, list) {
			bad = append(bad, id+" on "+name)
		}
	}
	return bad, waiting
}

// down lists new or changed endpoints to which a node of the canary sends nothing,
// with the reason, unless another node has the same trouble.
func down(n *nodes.Node, c *controlstate.Canary, list []nodes.Node) (out []string) {
	if !serves(n, c) {
		return nil
	}
	for i := range n.Counts {
		e := &n.Counts[i]
		if e.Down == "" || !slices.Contains(c.Endpoints, e.Endpoint) {
			continue
		}
		elsewhere := slices.ContainsFunc(list, func(o nodes.Node) bool {
			return !slices.Contains(c.Nodes, o.Node) && o.State == nodes.Live &&
				slices.ContainsFunc(o.Counts, func(other wire.EndpointCounts) bool { return other.Endpoint == e.Endpoint && other.Down != "" })
		})
		if !elsewhere {
			out = append(out, e.Endpoint+" is out of service ("+e.Down+")")
		}
	}
	return out
}
