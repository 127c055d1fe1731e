package controlstate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestSessions(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s, ctx := open(t, db), t.Context()
		now := time.Now().UTC().Truncate(time.Second)
		check := func(what string, err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Fatalf("%s: %v, want %v", what, err, want)
			}
		}
		entry := func(action string) controlstate.Entry {
			return controlstate.Entry{Author: "ada", Action: action}
		}
		ada := controlstate.Operator{ID: "op_1", Name: "ada", Role: "operator", Hash: "token", Created: now, Expires: now.Add(time.Hour)}
		check("operator", s.CreateOperator(ctx, ada, entry("operator.create")), nil)
		n := controlstate.Session{Hash: "a", Method: "operator", Operator: "op_1", Name: "old name", Role: "admin", Credential: "token", Created: now, Seen: now, Expires: now.Add(2 * time.Hour)}
		check("create", s.CreateSession(ctx, n, now.Add(-time.Minute), entry("login")), nil)
		other := n
		other.Hash, other.Operator, other.Method = "b", "", "oidc"
		check("create", s.CreateSession(ctx, other, now.Add(-time.Minute), entry("login")), nil)

		got, err := s.Session(ctx, "a", now, now.Add(-time.Minute))
		want := n
		want.Name, want.Role = "ada", "operator" // as they are now
		if err != nil || got != want {
			t.Errorf("%+v %v", got, err)
		}
		if got, err = s.Session(ctx, "b", now, now.Add(-time.Minute)); err != nil || got != other {
			t.Errorf("%+v %v", got, err)
		}
		ask := func(hash string, at time.Time) error {
			_, err := s.Session(ctx, hash, at, at.Add(-time.Minute))
			return err
		}
		check("unknown", ask("c", now), controlstate.ErrNotFound)
		check("unused", ask("a", now.Add(time.Minute)), controlstate.ErrNotFound)
		check("seen", s.SessionSeen(ctx, "a", now.Add(time.Minute)), nil)
		check("used", ask("a", now.Add(time.Minute)), nil)
		check("seen", s.SessionSeen(ctx, "a", now.Add(time.Hour)), nil)
		check("the token has expired", ask("a", now.Add(time.Hour)), controlstate.ErrNotFound)
		check("seen", s.SessionSeen(ctx, "b", now.Add(2*time.Hour)), nil)
		check("it has expired", ask("b", now.Add(2*time.Hour)), controlstate.ErrNotFound)
		check("rotate", s.RotateOperator(ctx, "op_1", "another", entry("operator.rotate")), nil)
		check("the token was replaced", ask("a", now), controlstate.ErrNotFound)

		n.Hash, n.Credential, n.Created = "d", "another", now.Add(3*time.Hour) // takes the expired ones away
		check("create", s.CreateSession(ctx, n, now.Add(-time.Minute), entry("login")), nil)
		if rows := db.Query(t, "SELECT hash FROM control_sessions"); len(rows) != 1 || rows[0][0] != "d" {
			t.Errorf("kept: %v", rows)
		}
		check("before", ask("d", now), nil)
		check("revoke", s.RevokeOperator(ctx, "op_1", now, entry("operator.revoke")), nil)
		check("the token was revoked", ask("d", now), controlstate.ErrNotFound)
		for range 2 {
			check("end", s.EndSession(ctx, "d", entry("logout")), nil)
		}
		log, err := s.AuditLog(ctx, controlstate.AuditQuery{Limit: 100})
		ended := 0
		for _, e := range log {
			if e.Action == "logout" {
				ended++
			}
		}
		if err != nil || ended != 1 {
			t.Errorf("%d ends in the audit log, %v", ended, err)
		}
	})
}
