package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// maxLetters bounds how many dead letters are looked at.
	maxLetters = 1000
	// maxShown bounds the content that is shown of one, in bytes.
	maxShown = 16 << 10
)

func (s *Server) deadLetters(ctx context.Context, in adminapi.LetterPage) ([]adminapi.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, statsTime)
	defer cancel()
	found, _, err := bus.DeadLetters(ctx, s.o.Conn, in.After, in.Limit)
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "NATS is unavailable: %s", err)
	}
	out := make([]adminapi.DeadLetter, len(found))
	for i := range found {
		out[i] = showLetter(&found[i])
	}
	return out, nil
}

func showLetter(l *bus.DeadLetter) adminapi.DeadLetter {
	h := l.Header
	out := adminapi.DeadLetter{
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

// changeLetters does something with each letter that is asked for, in order,
// and goes on past those that fail: one that cannot be stored must not keep the
// others from it.
func (s *Server) changeLetters(ctx context.Context, in adminapi.LetterChange, action string, do func(context.Context, *bus.DeadLetter) error) (adminapi.LettersDone, error) {
	var out adminapi.LettersDone
	if (len(in.IDs) > 0) == in.All {
		return out, badRequest("specify either ids, a list of dead letters, or all")
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), statsTime)
	defer cancel()
	found, _, err := bus.DeadLetters(ctx, s.o.Conn, 0, maxLetters)
	if err != nil {
		return out, problemf(http.StatusServiceUnavailable, "NATS is unavailable: %s", err)
	}
	missing := slices.Clone(in.IDs)
	var failures []error
	for i := range found {
		l := &found[i]
		if !in.All && !slices.Contains(in.IDs, l.ID) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(id uint64) bool { return id == l.ID })
		if err := do(ctx, l); err != nil {
			failures = append(failures, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		out.Done = append(out.Done, l.ID)
	}
	s.auditLetters(ctx, in, action, out.Done)
	switch {
	case len(failures) > 0:
		return out, withDone(problemf(http.StatusConflict, "%s", failureList(failures)), out.Done)
	case len(missing) > 0:
		return out, withDone(problemf(http.StatusNotFound, "dead letters not found: %s", numberList(missing)), out.Done)
	}
	return out, nil
}

// failureList writes the first failures for people.
func failureList(list []error) string {
	const shown = 5
	var words []string
	for _, err := range list[:min(len(list), shown)] {
		words = append(words, err.Error())
	}
	if more := len(list) - shown; more > 0 {
		words = append(words, fmt.Sprintf("and %d more failed", more))
	}
	return strings.Join(words, "; ")
}

func withDone(p *problem, done []uint64) error {
	p.metadata = map[string]any{"done": append([]uint64{}, done...)}
	return p
}

func (s *Server) auditLetters(ctx context.Context, in adminapi.LetterChange, action string, done []uint64) {
	db, err := s.o.Publisher.State()
	if err == nil && len(done) > 0 {
		err = db.Audit(ctx, entry(in.ByAuthor, in.Reason, action, numberList(slices.Clone(done))))
	}
	if err != nil {
		s.o.Log.WarnContext(ctx, "failed to record a change of dead letters", slog.String("error", err.Error()))
	}
}

func (s *Server) replayDeadLetters(ctx context.Context, in adminapi.LetterChange) (adminapi.LettersDone, error) {
	return s.changeLetters(ctx, in, "deadletters.replay", func(ctx context.Context, l *bus.DeadLetter) error { return bus.ReplayDeadLetter(ctx, s.o.Conn, l) })
}

func (s *Server) dropDeadLetters(ctx context.Context, in adminapi.LetterChange) (adminapi.LettersDone, error) {
	return s.changeLetters(ctx, in, "deadletters.drop", func(ctx context.Context, l *bus.DeadLetter) error { return bus.DropDeadLetter(ctx, s.o.Conn, l.ID) })
}
