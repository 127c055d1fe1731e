package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// settled is how old events are that must have their rows.
	settled = 5 * time.Minute
	// checked is how far back gaps are looked for.
	checked = 24 * time.Hour
	// maxLetters bounds how many dead letters are looked at.
	maxLetters = 1000
)

// balance is where the events are that a node has issued since it started,
// those that it found in its spool included.
type balance struct {
	Node   string `json:"node"`
	State  string `json:"state"`
	Issued uint64 `json:"issued"`
	// Stored is known to be in the database, or among the dead letters.
	Stored uint64 `json:"stored"`
	// Pending is with the node: not sent, or sent and not known to be stored.
	Pending uint64 `json:"pending"`
	Lost    uint64 `json:"lost"`
	// SpooledBytes are the files that keep what is pending.
	SpooledBytes int64 `json:"spooled_bytes"`
	// Balanced: issued = stored + pending + lost.
	Balanced bool `json:"balanced"`
}

func (b *balance) add(o *balance) {
	b.Issued += o.Issued
	b.Stored += o.Stored
	b.Pending += o.Pending
	b.Lost += o.Lost
	b.SpooledBytes += o.SpooledBytes
	b.Balanced = b.Balanced && o.Balanced
}

// sink is how far a store is.
type sink struct {
	Sink    string `json:"sink"`
	Waiting uint64 `json:"waiting_frames"`
	InHand  int    `json:"frames_in_hand"`
}

// ledger says where every usage event is.
func (s *Server) ledger(r *http.Request) (any, error) {
	query, err := params(r, "since")
	if err != nil {
		return nil, err
	}
	since, err := moments(query, "since")
	if err != nil {
		return nil, err
	}
	if since.IsZero() {
		since = time.Now().Add(-checked)
	}
	list, sum := s.balances()
	out := map[string]any{"nodes": list, "sum": sum, "sinks": []sink{}, "stream_frames": 0, "stream_bytes": 0, "dead_letters": 0, "gaps": []requestlog.Gap{}}
	ctx, cancel := context.WithTimeout(r.Context(), explainTime)
	defer cancel()
	sinks, frames, bytes, err := bus.Sinks(ctx, s.o.Conn)
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "NATS does not answer: %s", err)
	}
	shown := make([]sink, len(sinks))
	for i, one := range sinks {
		shown[i] = sink{one.Name, one.Waiting, one.InHand}
	}
	out["sinks"], out["stream_frames"], out["stream_bytes"] = shown, frames, bytes
	_, dead, err := bus.DeadLetters(ctx, s.o.Conn, 0, 0)
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "NATS does not answer: %s", err)
	}
	out["dead_letters"] = dead
	if s.o.LogStore != nil {
		gaps, err := inTime(r, s, func(ctx context.Context) ([]requestlog.Gap, error) {
			return s.o.LogStore.Gaps(ctx, since, time.Now().Add(-settled))
		})
		if err != nil {
			return nil, err
		}
		if gaps != nil {
			out["gaps"] = gaps
		}
	}
	return out, nil
}

// balances are those of the nodes that are not gone, and all together.
func (s *Server) balances() ([]balance, balance) {
	list := []balance{}
	sum := balance{Node: "all", Balanced: true}
	for _, n := range s.o.Nodes.List() {
		if n.State == nodes.Gone {
			continue
		}
		u := n.Usage
		b := balance{
			Node: n.Node, State: string(n.State), Issued: u.Issued, Stored: u.Acked, Pending: u.Pending, Lost: u.Lost, SpooledBytes: u.Spooled,
			Balanced: u.Issued == u.Acked+u.Pending+u.Lost,
		}
		list = append(list, b)
		sum.add(&b)
	}
	return list, sum
}

// deadLetter is a dead letter as /admin/deadletters shows it.
type deadLetter struct {
	ID     uint64    `json:"id"`
	Sink   string    `json:"sink"`
	Time   time.Time `json:"time"`
	Node   string    `json:"node"`
	Epoch  string    `json:"epoch"`
	First  string    `json:"first"`
	Last   string    `json:"last"`
	Reason string    `json:"reason"`
	Bytes  int       `json:"bytes"`
	// Event is what it holds, as text; "" if it cannot be unpacked.
	Event string `json:"event"`
}

const maxShown = 16 << 10

func (s *Server) deadLetters(r *http.Request) (any, error) {
	query, err := params(r, "limit", "after")
	if err != nil {
		return nil, err
	}
	limit, err := number(query, "limit", defaultPage, 1, maxLetters)
	if err != nil {
		return nil, err
	}
	after, err := number(query, "after", 0, 0, 1<<53)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), statsTime)
	defer cancel()
	found, _, err := bus.DeadLetters(ctx, s.o.Conn, uint64(after), limit) //nolint:gosec // from 0
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "NATS does not answer: %s", err)
	}
	out := make([]deadLetter, len(found))
	for i := range found {
		out[i] = showLetter(&found[i])
	}
	return out, nil
}

func showLetter(l *bus.DeadLetter) deadLetter {
	h := l.Header
	out := deadLetter{
		ID: l.ID, Sink: l.Sink, Time: l.Time.UTC(), Node: h.Get(wire.HeaderNode), Epoch: h.Get(wire.HeaderEpoch), First: h.Get(wire.HeaderFirst), Last: h.Get(wire.HeaderLast),
		Reason: l.Reason, Bytes: len(l.Data),
	}
	if f, err := bus.DecodeFrame(h, l.Data); err == nil {
		out.Event = string(f.Lines[:min(len(f.Lines), maxShown)])
	}
	return out
}

// numberList writes numbers for people.
func numberList(list []uint64) string {
	slices.Sort(list)
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(words, " ")
}

// letterChange is what a change of dead letters asks for.
type letterChange struct {
	common
	IDs []uint64 `json:"ids"`
	All bool     `json:"all"`
}

// changeLetters does something with each letter that is asked for, in order,
// and stops at the first that fails.
func (s *Server) changeLetters(r *http.Request, action string, do func(context.Context, *bus.DeadLetter) error) (any, error) {
	var in letterChange
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	if (len(in.IDs) > 0) == in.All {
		return nil, badRequest("either ids, a list of dead letters, or all must be given")
	}
	wanted := map[uint64]bool{}
	for _, id := range in.IDs {
		wanted[id] = true
	}
	ctx, cancel := context.WithTimeout(lasting(r), statsTime)
	defer cancel()
	done, failure := []uint64{}, error(nil)
	found, _, err := bus.DeadLetters(ctx, s.o.Conn, 0, maxLetters)
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "NATS does not answer: %s", err)
	}
	for i := range found {
		l := &found[i]
		if !in.All && !wanted[l.ID] {
			continue
		}
		if failure = do(ctx, l); failure != nil {
			break
		}
		delete(wanted, l.ID)
		done = append(done, l.ID)
	}
	if db, err := s.o.Publisher.State(); err == nil && len(done) > 0 {
		if err := db.Audit(ctx, audit(c, action, numberList(done))); err != nil {
			s.o.Log.WarnContext(ctx, "a change of dead letters could not be recorded", slog.String("error", err.Error()))
		}
	}
	if failure != nil {
		p := problemf(http.StatusConflict, "%s", failure)
		p.metadata = map[string]any{"done": done}
		return nil, p
	}
	if len(wanted) > 0 && !in.All {
		missing := []uint64{}
		for id := range wanted {
			missing = append(missing, id)
		}
		p := problemf(http.StatusNotFound, "there are no dead letters %s", numberList(missing))
		p.metadata = map[string]any{"done": done}
		return nil, p
	}
	return map[string]any{"done": done}, nil
}

func (s *Server) replayDeadLetters(r *http.Request) (any, error) {
	return s.changeLetters(r, "deadletters.replay", func(ctx context.Context, l *bus.DeadLetter) error { return bus.ReplayDeadLetter(ctx, s.o.Conn, l) })
}

func (s *Server) dropDeadLetters(r *http.Request) (any, error) {
	return s.changeLetters(r, "deadletters.drop", func(ctx context.Context, l *bus.DeadLetter) error { return bus.DropDeadLetter(ctx, s.o.Conn, l.ID) })
}
