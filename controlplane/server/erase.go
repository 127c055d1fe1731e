package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
)

// eraseTime bounds what one request erases, so that its answer comes.
const eraseTime = 10 * time.Second

// erase removes or pseudonymises someone's requests in every store.
func (s *Server) erase(ctx context.Context, in adminapi.EraseRequest) (out adminapi.EraseResult, err error) {
	if len(s.o.Erasers) == 0 {
		return out, problemf(http.StatusServiceUnavailable, "the request log is not configured")
	}
	if (in.User == "") == (in.Key == "") {
		return out, badRequest("either user or key must be given")
	}
	e := requestlog.Erasure{User: in.User, Key: in.Key, Pseudonymise: in.Pseudonymise}
	if e.Before, err = moments("before", in.Before, time.UTC); err != nil {
		return out, err
	}
	if now := time.Now(); e.Before.IsZero() || e.Before.After(now) {
		// the quarter of an hour that is not over counts in full
		e.Before = now.Add(15 * time.Minute)
	}
	e.Before = e.Before.UTC().Truncate(15 * time.Minute)
	from, err := moments("from", in.From, time.UTC)
	if err != nil {
		return out, err
	}
	out.Before = e.Before
	if in.DryRun {
		err = s.countErasure(ctx, e, &out)
	} else {
		err = s.eraseNow(lasting(ctx), in, e, from, &out)
	}
	if err != nil {
		return out, err
	}
	return out, s.unstored(ctx, in, &out)
}

func (s *Server) countErasure(ctx context.Context, e requestlog.Erasure, out *adminapi.EraseResult) error {
	for _, store := range s.o.Erasers {
		would, err := inTime(ctx, s, func(ctx context.Context) (requestlog.Erased, error) { return store.CountErasure(ctx, e) })
		if err != nil {
			return err
		}
		out.Rows, out.Contents = max(out.Rows, would.Rows), max(out.Contents, would.Contents)
	}
	return nil
}

// eraseNow records what is asked for before it begins: a removal that no one
// could account for would be worse than a record of one that failed.
func (s *Server) eraseNow(ctx context.Context, in adminapi.EraseRequest, e requestlog.Erasure, from time.Time, out *adminapi.EraseResult) error {
	if in.From == "" {
		if err := s.auditErasure(ctx, in, "erase", map[string]any{"before": e.Before, "pseudonymise": e.Pseudonymise}); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	var next time.Time
	for _, store := range s.o.Erasers {
		done, err := store.Erase(ctx, e, from)
		if err != nil {
			return problemf(http.StatusServiceUnavailable, "after %d rows the request log is unavailable: %s; repeat the request to go on", out.Rows, err)
		}
		out.Rows, out.Contents = max(out.Rows, done.Rows), max(out.Contents, done.Contents)
		if !done.Next.IsZero() && (next.IsZero() || done.Next.Before(next)) {
			next = done.Next
		}
	}
	if !next.IsZero() {
		out.Next = next.Format(time.RFC3339)
		return nil
	}
	return s.auditErasure(lasting(ctx), in, "erase.done", map[string]any{"rows": out.Rows, "contents": out.Contents})
}

func (s *Server) auditErasure(ctx context.Context, in adminapi.EraseRequest, action string, detail map[string]any) error {
	db, err := s.o.Publisher.State()
	if err != nil {
		return err
	}
	target := "user " + in.User
	if in.Key != "" {
		target = "key " + in.Key
	}
	record := entry(in.ByAuthor, in.Reason, action, target)
	text, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	record.Detail = string(text)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTime)
	defer cancel()
	if err := db.Audit(ctx, record); err != nil {
		return problemf(http.StatusServiceUnavailable, "the audit log does not answer, and nothing is erased without a record: %s", err)
	}
	return nil
}

// unstored says what is not in the stores yet.
func (s *Server) unstored(ctx context.Context, in adminapi.EraseRequest, out *adminapi.EraseResult) error {
	_, sum := s.balances()
	out.Pending = sum.Pending + sum.InTransit
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	letters, _, err := bus.DeadLetters(ctx, s.o.Conn, 0, maxLetters)
	if err != nil {
		return problemf(http.StatusServiceUnavailable, "NATS is unavailable: %s", err)
	}
	name, member := in.User, "user_id"
	if in.Key != "" {
		name, member = in.Key, "key_id"
	}
	for i := range letters {
		if names(&letters[i], member, name) {
			out.DeadLetters++
		}
	}
	return nil
}

// names reports whether a dead letter has an event of a user or key. What cannot
// be read is searched as text.
func names(l *bus.DeadLetter, member, name string) bool {
	text := string(l.Data)
	if f, err := bus.DecodeFrame(l.Header, l.Data); err == nil {
		text = string(f.Lines)
	}
	for line := range strings.Lines(text) {
		var event map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &event) != nil {
			if strings.Contains(line, name) {
				return true
			}
			continue
		}
		var got string
		if err := json.Unmarshal(event[member], &got); err == nil && got == name {
			return true
		}
	}
	return false
}
