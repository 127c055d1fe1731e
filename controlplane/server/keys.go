package server

import (
	"cmp"
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

func showKey(k *controlstate.Key) adminapi.Key {
	return adminapi.Key{
		ID: k.ID, Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Created: k.Created, Expires: moment(k.Expires), Revoked: moment(k.Revoked), Prefix: k.Prefix,
		Team: k.Team, Limits: showLimits(k.Limits), Priority: k.Priority, Disabled: k.Disabled,
	}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Server) keys(ctx context.Context, in adminapi.KeyPage) ([]adminapi.Key, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.Keys(ctx, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	spending := map[string]requestlog.KeySpending{}
	known, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.KeySpending, error) {
		return s.o.LogStore.Spending(ctx, time.Now())
	})
	for _, k := range known {
		spending[k.Key] = k
	}
	out := make([]adminapi.Key, len(found))
	for i := range found {
		out[i] = showKey(&found[i])
		if err == nil { // else the list does not say it
			withSpending(&out[i], spending[out[i].ID])
		}
	}
	return out, nil
}

// withSpending adds what the request log says of a key.
func withSpending(k *adminapi.Key, s requestlog.KeySpending) {
	k.LastUsed = moment(s.LastUsed)
	k.Spent = &adminapi.Spent{Total: cmp.Or(s.Total, "0"), Day: cmp.Or(s.Day, "0"), Week: cmp.Or(s.Week, "0"), Month: cmp.Or(s.Month, "0")}
}

func (s *Server) key(ctx context.Context, in adminapi.ByID) (adminapi.Key, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.Key{}, err
	}
	k, err := db.Key(ctx, in.ID)
	if err != nil {
		return adminapi.Key{}, err
	}
	out := showKey(&k)
	spending, err := inTime(ctx, s, func(ctx context.Context) (requestlog.KeySpending, error) {
		return s.o.LogStore.SpendingOf(ctx, time.Now(), k.ID)
	})
	if err == nil { // else the answer does not say it
		withSpending(&out, spending)
	}
	return out, nil
}
