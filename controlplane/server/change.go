package server

import (
	"context"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// rollout is what became of a change.
type rollout struct {
	Release uint64 `json:"release"`
	// Changed is false when everything was that way already.
	Changed bool `json:"changed"`
	// Nodes is what each live node has done with the release so far.
	Nodes []nodes.Ack `json:"nodes"`
}

// wait returns what the nodes did within the time asked for.
func (s *Server) wait(r *http.Request, want nodes.Want, limit time.Duration) []nodes.Ack {
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	acks := s.o.Nodes.Wait(ctx, want)
	if acks == nil {
		acks = []nodes.Ack{} // a list in JSON, too
	}
	return acks
}

func (s *Server) rollout(r *http.Request, done publish.Result, waitMS int64) rollout {
	want := nodes.Want{Epoch: done.Release.Epoch, Release: done.Release.Number, Hash: done.Release.Hash}
	return rollout{done.Release.Number, done.Changed, s.wait(r, want, time.Duration(waitMS)*time.Millisecond)}
}

func (s *Server) setWeights(r *http.Request) (any, error) {
	var in struct {
		common
		Model   string             `json:"model"`
		Weights map[string]float64 `json:"weights"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	done, err := s.o.Publisher.SetWeights(r.Context(), c, in.Model, in.Weights)
	if err != nil {
		return nil, err
	}
	return s.rollout(r, done, in.WaitMS), nil
}

func (s *Server) resetWeights(r *http.Request) (any, error) {
	var in struct {
		common
		Model string `json:"model"`
	}
	query, err := params(r, "model")
	if err != nil {
		return nil, err
	}
	in.Model = query["model"]
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	done, err := s.o.Publisher.ResetWeights(r.Context(), c, in.Model)
	if err != nil {
		return nil, err
	}
	return s.rollout(r, done, in.WaitMS), nil
}

func (s *Server) apply(r *http.Request) (any, error) {
	var in struct {
		common
		DryRun  bool    `json:"dry_run"`
		Models  *string `json:"models_yaml"`
		Routing *string `json:"routing_yaml"`
	}
	query, err := params(r, "dry_run")
	if err != nil {
		return nil, err
	}
	if err := read(r, maxFiles, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	switch query["dry_run"] {
	case "":
	case "true", "1":
		in.DryRun = true
	default:
		return nil, badRequest("parameter dry_run must be true, got %q", query["dry_run"])
	}
	c.DryRun = in.DryRun
	done, err := s.o.Publisher.Apply(r.Context(), c, publish.Source{Models: in.Models, Routing: in.Routing})
	if err != nil {
		return nil, err
	}
	out := struct {
		rollout
		Changes  []string `json:"changes"`
		Warnings []string `json:"warnings"`
	}{Changes: list(done.Changes), Warnings: list(done.Warnings)}
	if in.DryRun {
		out.rollout = rollout{Changed: done.Changed, Nodes: []nodes.Ack{}}
		if current := s.o.Publisher.Current(); current != nil {
			out.Release = current.Number
		}
		return out, nil
	}
	out.rollout = s.rollout(r, done, in.WaitMS)
	return out, nil
}

// list is never null in JSON.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

func (s *Server) rollback(r *http.Request) (any, error) {
	to, err := releaseNumber(r)
	if err != nil {
		return nil, err
	}
	var in common
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	c, err := in.change(r)
	if err != nil {
		return nil, err
	}
	done, err := s.o.Publisher.Rollback(r.Context(), c, to)
	if err != nil {
		return nil, err
	}
	return s.rollout(r, done, in.WaitMS), nil
}
