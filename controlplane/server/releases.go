package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/controlstate"
)

const defaultPage = 50

// page reads limit and before.
func page(r *http.Request) (limit int, before uint64, err error) {
	query, err := params(r, "limit", "before")
	if err != nil {
		return 0, 0, err
	}
	if limit, err = number(query, "limit", defaultPage, 1, controlstate.MaxPage); err != nil {
		return 0, 0, err
	}
	if text := query["before"]; text != "" {
		if before, err = strconv.ParseUint(text, 10, 63); err != nil {
			return 0, 0, badRequest("parameter before must be a whole number from 0, got %q", text)
		}
	}
	return limit, before, nil
}

// releaseInfo is a release in the list.
type releaseInfo struct {
	Release uint64    `json:"release"`
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
	Hash    string    `json:"hash"`
	Models  int       `json:"models"`
	Current bool      `json:"current"`
}

func (s *Server) releases(r *http.Request) (any, error) {
	limit, before, err := page(r)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.Releases(r.Context(), limit, before)
	if err != nil {
		return nil, err
	}
	current := s.o.Publisher.Current()
	out := make([]releaseInfo, len(found))
	for i, f := range found {
		out[i] = releaseInfo{f.Number, f.Time, f.Author, f.Reason, f.Hash, f.Models, current != nil && current.Number == f.Number}
	}
	return out, nil
}

// releaseNumber reads the number in the path.
func releaseNumber(r *http.Request) (uint64, error) {
	n, err := strconv.ParseUint(r.PathValue("number"), 10, 63)
	if err != nil || n == 0 {
		return 0, problemf(http.StatusNotFound, "a release is a number from 1, got %q", r.PathValue("number"))
	}
	return n, nil
}

func (s *Server) release(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	n, err := releaseNumber(r)
	if err != nil {
		return nil, err
	}
	if current := s.o.Publisher.Current(); current != nil && current.Number == n {
		return current, nil // also without a database
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	return db.Release(r.Context(), n)
}

// diff says what a release changed since another, by default the one before it.
func (s *Server) diff(r *http.Request) (any, error) {
	query, err := params(r, "from")
	if err != nil {
		return nil, err
	}
	n, err := releaseNumber(r)
	if err != nil {
		return nil, err
	}
	from := n - 1
	if text := query["from"]; text != "" {
		if from, err = strconv.ParseUint(text, 10, 63); err != nil || from == 0 {
			return nil, badRequest("parameter from must be a release, got %q", text)
		}
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	to, err := db.Release(r.Context(), n)
	if err != nil {
		return nil, err
	}
	base, err := db.Release(r.Context(), from)
	if err != nil {
		return nil, err
	}
	return map[string]any{"from": from, "to": n, "changes": list(compile.Diff(&base.Snapshot, &to.Snapshot))}, nil
}
