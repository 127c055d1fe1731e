package server

import (
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
)

// key is a key as /admin/keys shows it: all but the key.
type key struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	User    string     `json:"user"`
	Role    string     `json:"role"`
	Models  []string   `json:"models"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires"`
	Revoked *time.Time `json:"revoked"`
	Prefix  string     `json:"prefix"`
}

func showKey(k *controlstate.Key) key {
	return key{k.ID, k.Name, k.User, k.Role, list(k.Models), k.Created, moment(k.Expires), moment(k.Revoked), k.Prefix}
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Server) keys(r *http.Request) (any, error) {
	query, err := params(r, "limit", "after")
	if err != nil {
		return nil, err
	}
	limit, err := number(query, "limit", controlstate.MaxPage, 1, controlstate.MaxPage)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.Keys(r.Context(), limit, query["after"])
	if err != nil {
		return nil, err
	}
	out := make([]key, len(found))
	for i := range found {
		out[i] = showKey(&found[i])
	}
	return out, nil
}

func (s *Server) key(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	k, err := db.Key(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return showKey(&k), nil
}
