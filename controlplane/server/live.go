package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
)

const (
	// liveEvery is how often a stream looks for news, probeEvery how often the
	// databases are probed for them.
	liveEvery  = time.Second
	probeEvery = 5 * time.Second
	// liveSilence is the longest a stream is silent.
	liveSilence = 10 * time.Second
	// liveStall is how long a browser may take for an event before its stream is
	// cut. Nothing is queued for it: it gets the newest state, or none.
	liveStall = 10 * time.Second
	// liveSpan is how long a stream lasts; the next one shows its token again.
	// admitEvery is how often it is checked meanwhile.
	liveSpan   = 5 * time.Minute
	admitEvery = 3 * time.Second
	// maxStreams bounds the open streams.
	maxStreams = 200
)

// live is the state that all streams share, and how many of them there are.
type live struct {
	mu      sync.Mutex
	at      time.Time
	state   adminapi.LiveState
	probed  time.Time
	found   stores
	streams int
}

// live answers with what the nodes report, at most liveEvery old.
func (s *Server) live(ctx context.Context, _ adminapi.None) (adminapi.LiveState, error) {
	l := &s.shared
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.at) < liveEvery {
		return l.state, nil
	}
	if now.Sub(l.probed) >= probeEvery {
		l.found, l.probed = s.probe(lasting(ctx)), now
	}
	l.state, l.at = s.liveState(l.found), now
	return l.state, nil
}

func (s *Server) liveState(found stores) adminapi.LiveState {
	out := adminapi.LiveState{Status: adminapi.Healthy, Published: s.o.Publisher.Published().Release, Nodes: s.nodeCounts(), Problems: s.problems(found)}
	for _, p := range out.Problems {
		if p.Code != adminapi.ProblemMissingSecret {
			out.Status = adminapi.Degraded
		}
	}
	if current := s.o.Publisher.Current(); current != nil {
		out.Release = current.Number
	}
	for _, n := range s.o.Nodes.List() {
		if n.State == nodes.Gone {
			continue
		}
		if n.State == nodes.Live {
			out.Requests += n.Requests
			out.InFlight += n.InFlight
			if n.Release == out.Release {
				out.Applied++
			}
		}
		out.Fleet = append(out.Fleet, adminapi.LiveNode{
			Node: n.Node, State: string(n.State), Version: n.Version, Release: n.Release, ReleaseState: n.NodeStatus.State, Reason: n.Reason, InFlight: n.InFlight,
			Requests: n.Requests, Draining: n.Draining,
		})
	}
	slices.SortStableFunc(out.Fleet, func(a, b adminapi.LiveNode) int { return cmp.Compare(rankOf(a), rankOf(b)) })
	out.Fleet = out.Fleet[:min(len(out.Fleet), adminapi.MaxLive)]
	out.Endpoints = s.troubledEndpoints()
	adminapi.FillLists(&out)
	return out
}

// rankOf puts nodes that need attention first.
func rankOf(n adminapi.LiveNode) int {
	if n.State != adminapi.Live || n.ReleaseState == adminapi.Rejected {
		return 0
	}
	return 1
}

func (s *Server) troubledEndpoints() []adminapi.Endpoint {
	troubles, live := s.troubles()
	current := s.o.Publisher.Current()
	if current == nil {
		return nil
	}
	var out []adminapi.Endpoint
	for i := range current.Snapshot.Models {
		m := &current.Snapshot.Models[i]
		for j := range m.Endpoints {
			e := &m.Endpoints[j]
			state := endpointState(e, troubles[e.ID], live)
			if len(out) < adminapi.MaxLive && state != adminapi.EndpointUp && state != adminapi.EndpointOff {
				out = append(out, adminapi.Endpoint{Model: m.ID, Endpoint: e.ID, Kind: kind(e), Weight: e.Intended(), Share: share(m, e), State: state, Nodes: troubles[e.ID]})
			}
		}
	}
	return out
}

// wantsStream reports whether a request is for GetLive as server-sent events.
func wantsStream(r *http.Request) bool {
	return r.Method == http.MethodGet && r.URL.Path == adminapi.GetLive().Path && strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// stream sends GetLive's answer whenever it has changed, until the caller
// leaves, is too slow, or liveSpan is over.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) error {
	operation := adminapi.GetLive().Description
	if err := allow(r.Context(), &operation); err != nil {
		return err
	}
	if !s.shared.enter() {
		p := problemf(http.StatusServiceUnavailable, "%d live streams are open, which is the limit", maxStreams)
		p.retryAfter = 10
		return p
	}
	defer s.shared.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	ctx, cancel := context.WithTimeout(r.Context(), liveSpan)
	defer cancel()
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's bound for requests would end the stream
	var last []byte
	silent, admitted := time.Now(), time.Now()
	for tick := time.NewTicker(liveEvery); ; {
		text, err := s.liveEvent(ctx)
		switch {
		case err != nil:
			return nil // the status is sent; the caller connects again
		case !bytes.Equal(text, last):
			last = text
		case time.Since(silent) < liveSilence:
			text = nil
		default:
			text = []byte(": \n\n")
		}
		if text != nil {
			silent = time.Now()
			_ = out.SetWriteDeadline(silent.Add(liveStall))
			if _, err := w.Write(text); err != nil || out.Flush() != nil {
				return nil // the caller left, or is too slow
			}
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
		}
		if time.Since(admitted) >= admitEvery {
			admitted = time.Now()
			if s.ended(r.WithContext(ctx)) {
				return nil
			}
		}
	}
}

func (s *Server) liveEvent(ctx context.Context) ([]byte, error) {
	state, err := s.live(ctx, adminapi.None{})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(state)
	return fmt.Appendf(nil, "data: %s\n\n", text), err
}

func (l *live) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams >= maxStreams {
		return false
	}
	l.streams++
	return true
}

func (l *live) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams--
}
