package server

import (
	"context"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/shared/wire"
)

func (s *Server) releases(ctx context.Context, in adminapi.Page) ([]adminapi.ReleaseInfo, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.Releases(ctx, in.Limit, in.Before)
	if err != nil {
		return nil, err
	}
	current := s.o.Publisher.Current()
	out := make([]adminapi.ReleaseInfo, 0, len(found)+1)
	if c := s.o.Publisher.Canary(); c != nil && in.Before == 0 && (len(found) == 0 || found[0].Number < c.Release.Number) {
		r := &c.Release
		out = append(out, adminapi.ReleaseInfo{
			Release: r.Number, Time: c.Created, Author: r.Author, Reason: r.Reason, Hash: r.Hash, Models: len(r.Snapshot.Models), Canary: c.Nodes,
		})
	}
	for _, f := range found {
		out = append(out, adminapi.ReleaseInfo{
			Release: f.Number, Time: f.Time, Author: f.Author, Reason: f.Reason, Hash: f.Hash, Models: f.Models,
			Current: current != nil && current.Number == f.Number,
		})
	}
	return out[:min(len(out), in.Limit)], nil
}

func (s *Server) release(ctx context.Context, in adminapi.ByNumber) (wire.Release, error) {
	if current := s.o.Publisher.Current(); current != nil && current.Number == in.Number {
		return *current, nil // also without a database
	}
	return s.storedRelease(ctx, in.Number)
}

func (s *Server) storedRelease(ctx context.Context, number uint64) (wire.Release, error) {
	if c := s.o.Publisher.Canary(); c != nil && c.Release.Number == number {
		return c.Release, nil
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return wire.Release{}, err
	}
	r, err := db.Release(ctx, number)
	if err != nil {
		return wire.Release{}, err
	}
	return *r, nil
}

// diff says what a release changed since another, by default the one before it.
func (s *Server) diff(ctx context.Context, in adminapi.DiffQuery) (adminapi.Comparison, error) {
	if in.From == 0 {
		in.From = in.Number - 1
	}
	to, err := s.storedRelease(ctx, in.Number)
	if err != nil {
		return adminapi.Comparison{}, err
	}
	from, err := s.storedRelease(ctx, in.From)
	if err != nil {
		return adminapi.Comparison{}, err
	}
	return adminapi.Comparison{From: in.From, To: in.Number, Changes: compile.Diff(&from.Snapshot, &to.Snapshot)}, nil
}
