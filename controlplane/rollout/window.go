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

const (
	// recentTime is over how long a sudden change shows, however long the step is.
	recentTime = 20 * time.Second
	// memory is for how long reports are kept: the longest limit of a ttft guard.
	memory = 65 * time.Second
)

// window is what the new side of a comparison and the other one have done in the current
// step, as far as this daemon has heard.
type window struct {
	step  int
	since time.Time
	// last are the newest totals, by node and endpoint.
	last          map[source]wire.EndpointCounts
	fresh, others guard.Counts
	recent        []sample
	// streams are the totals of the new side's streams over time.
	streams map[source][]sent
}

type source struct{ node, endpoint string }

// side is where what an endpoint has done at a node counts.
type side uint8

const (
	neither side = iota
	fresh
	others
)

// sample is what was added by one look at the nodes.
type sample struct {
	at            time.Time
	fresh, others guard.Counts
}

// sent is how many streams a node had sent by then.
type sent struct {
	at, since int64 // milliseconds since 1970, by the node's clock
	streams   uint64
}

func newWindow() *window {
	return &window{last: map[source]wire.EndpointCounts{}, streams: map[source][]sent{}}
}

// follow begins anew with each step, and when a rollout is resumed.
func (w *window) follow(r *controlstate.Rollout) {
	if w.step == r.Step && w.since.Equal(r.Since) {
		return
	}
	w.step, w.since, w.recent = r.Step, r.Since, nil
	w.fresh, w.others = guard.Counts{}, guard.Counts{}
}

// observe takes in what the nodes have reported. The first report of a node
// says where its totals begin.
func (w *window) observe(now time.Time, of func(*nodes.Node, string) side, list []nodes.Node) {
	s := sample{at: now}
	for i := range list {
		n := &list[i]
		for j := range n.Counts {
			c := &n.Counts[j]
			where := of(n, c.Endpoint)
			if where == neither {
				continue
			}
			key := source{n.Node, c.Endpoint}
			before, known := w.last[key]
			w.last[key] = *c
			if where == fresh {
				w.remember(key, n.Time, c)
			}
			if !known {
				continue
			}
			d := guard.Since(&before, c)
			if where == fresh {
				s.fresh.Add(&d)
			} else {
				s.others.Add(&d)
			}
		}
	}
	w.fresh.Add(&s.fresh)
	w.others.Add(&s.others)
	if s.fresh != (guard.Counts{}) || s.others != (guard.Counts{}) {
		w.recent = append(w.recent, s)
	}
	for len(w.recent) > 0 && now.Sub(w.recent[0].at) > recentTime {
		w.recent = w.recent[1:]
	}
}

// remember keeps the total of streams for overdue. at is by the node's clock.
func (w *window) remember(key source, at int64, c *wire.EndpointCounts) {
	list := w.streams[key]
	if k := len(list); k > 0 {
		switch last := list[k-1]; {
		case last.since != c.Since:
			list = nil
		case last.at >= at:
			return // seen before
		}
	}
	list = append(list, sent{at, c.Since, c.Streams})
	for list[0].at < at-memory.Milliseconds() {
		list = list[1:]
	}
	w.streams[key] = list
}

// overdue counts the streams of live nodes that were sent at least limit before
// the node's last report and had not begun by then.
func (w *window) overdue(list []nodes.Node) func(time.Duration) uint64 {
	return func(limit time.Duration) (late uint64) {
		for key, streams := range w.streams {
			i := slices.IndexFunc(list, func(n nodes.Node) bool { return n.Node == key.node && n.State == nodes.Live })
			if i < 0 {
				continue
			}
			begun := w.last[key].Begun
			had := uint64(0)
			for _, s := range streams {
				if s.at <= list[i].Time-limit.Milliseconds() {
					had = s.streams
				}
			}
			late += had - min(had, begun)
		}
		return late
	}
}

// measured is what a decision needs of the window.
func (w *window) measured(guards []guard.Guard, least uint64, left time.Duration, list []nodes.Node) *guard.Input {
	in := &guard.Input{Guards: guards, MinRequests: least, Left: left, New: w.fresh, Others: w.others, Overdue: w.overdue(list)}
	for i := range w.recent {
		in.RecentNew.Add(&w.recent[i].fresh)
		in.RecentOthers.Add(&w.recent[i].others)
	}
	return in
}

// input is what to decide by.
func (w *window) input(now time.Time, r *controlstate.Rollout, guards []guard.Guard, before guard.Counts, list []nodes.Node) *guard.Input {
	in := w.measured(guards, r.MinRequests, r.Every-now.Sub(r.Since), list)
	in.Before = before
	in.Down, in.Blocked = inspect(r, list)
	return in
}

// inspect lists the nodes at which the new endpoint is out of service although
// others are not, and says what else keeps the rollout from going on.
func inspect(r *controlstate.Rollout, list []nodes.Node) (down []string, blocked string) {
	var problems, silent []string
	live := 0
	for i := range list {
		n := &list[i]
		if n.State != nodes.Live || n.Draining {
			continue
		}
		live++
		for _, m := range n.Missing {
			if m.Endpoint == r.Endpoint {
				problems = append(problems, fmt.Sprintf("%s is not set on %s", m.Variable, n.Node))
			}
		}
		if n.Release < r.Release {
			problems = append(problems, fmt.Sprintf("%s has release %d and not %d yet", n.Node, n.Release, r.Release))
		}
		why, reports := downOn(r, n.Counts)
		if why != "" {
			down = append(down, n.Node+" ("+why+")")
		}
		if !reports {
			silent = append(silent, n.Node)
		}
	}
	switch {
	case live == 0:
		blocked = "no live node"
	case len(problems) > 0:
		blocked = strings.Join(problems, "; ")
	case len(silent) == live:
		blocked = "no node has reported what the endpoints do; nodes of earlier versions do not report it: " + strings.Join(silent, ", ")
	}
	return down, blocked
}

// downOn says why a node sends the new endpoint nothing, "" if it does, or if it
// sends the others nothing either: then the node is at fault.
func downOn(r *controlstate.Rollout, counts []wire.EndpointCounts) (why string, reports bool) {
	others, up := 0, 0
	for i := range counts {
		c := &counts[i]
		switch {
		case c.Endpoint == r.Endpoint:
			why, reports = c.Down, true
		case r.Set[c.Endpoint] > 0 && !r.Before[c.Endpoint].Disabled:
			others++
			if c.Down == "" {
				up++
			}
		}
	}
	if others > 0 && up == 0 {
		why = ""
	}
	return why, reports
}
