package server

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
)

func showKey(k *controlstate.Key) adminapi.Key {
	return adminapi.Key{
		ID: k.ID, Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Created: k.Created, Expires: moment(k.Expires), Revoked: moment(k.Revoked), Prefix: k.Prefix,
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
	out := make([]adminapi.Key, len(found))
	for i := range found {
		out[i] = showKey(&found[i])
	}
	return out, nil
}

func (s *Server) key(ctx context.Context, in adminapi.ByID) (adminapi.Key, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.Key{}, err
	}
	k, err := db.Key(ctx, in.ID)
	return showKey(&k), err
}
