package server

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
)

// sessionID is what others call a session: a part of the hash of its cookie, from
// which neither can be found.
func sessionID(n *controlstate.Session) string { return "ses_" + n.Hash[:16] }

// sessionsInUse returns the sessions that have not ended. Those of an earlier
// ADMIN_TOKEN are among them until they expire, though they open nothing: only
// their cookie shows which token they are of.
func (s *Server) sessionsInUse(ctx context.Context) ([]controlstate.Session, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	all, err := db.Sessions(ctx, now, now.Add(-s.o.Console.Idle))
	if err != nil {
		return nil, err
	}
	list := all[:0]
	for _, n := range all {
		if n.Method == adminapi.MethodAdminToken || s.valid(n, "") {
			list = append(list, n)
		}
	}
	return list, nil
}

func (s *Server) showSession(ctx context.Context, n *controlstate.Session) adminapi.ConsoleSession {
	own := callerOf(ctx).session
	return adminapi.ConsoleSession{
		ID: sessionID(n), Identity: adminapi.Identity{Name: n.Name, Role: n.Role}, Method: n.Method, Created: n.Created, Seen: n.Seen,
		Expires: n.Expires, IdleExpires: n.Seen.Add(s.o.Console.Idle), Current: own != nil && own.Hash == n.Hash,
	}
}

// sessions answers GET /admin/sessions.
func (s *Server) sessions(ctx context.Context, _ adminapi.None) ([]adminapi.ConsoleSession, error) {
	list, err := s.sessionsInUse(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.ConsoleSession, len(list))
	for i := range list {
		out[i] = s.showSession(ctx, &list[i])
	}
	return out, nil
}

// revokeSessions answers DELETE /admin/sessions/{id}.
func (s *Server) revokeSessions(ctx context.Context, in adminapi.SessionRevocation) ([]adminapi.ConsoleSession, error) {
	list, err := s.sessionsInUse(ctx)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	out := []adminapi.ConsoleSession{}
	for i := range list {
		n := &list[i]
		if in.ID != sessionID(n) && in.ID != n.Name {
			continue
		}
		target := cmp.Or(n.Name, "ADMIN_TOKEN") + " " + sessionID(n)
		if err := db.EndSession(lasting(ctx), n.Hash, entry(in.ByAuthor, in.Reason, "session.revoke", target)); err != nil {
			return nil, err
		}
		out = append(out, s.showSession(ctx, n))
	}
	if len(out) == 0 {
		return nil, problemf(http.StatusNotFound, "no session has the id %q, and no one of that name is signed in", in.ID)
	}
	return out, nil
}
