package server

import (
	"cmp"
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/rollout"
)

func (s *Server) rollouts(ctx context.Context, in adminapi.RolloutQuery) ([]adminapi.GuardedRollout, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	model := in.Model
	if current := s.o.Publisher.Current(); current != nil && model != "" {
		if m, err := publish.FindModel(&current.Snapshot, model); err == nil {
			model = m.ID // of a model that is gone there may be rollouts, too
		}
	}
	var list []controlstate.Rollout
	if in.Active {
		list, err = db.ActiveRollouts(ctx)
	} else {
		list, err = db.Rollouts(ctx, model, in.Limit)
	}
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.GuardedRollout, 0, len(list))
	for i := range list {
		if model == "" || list[i].Model == model {
			out = append(out, s.shownRollout(&list[i]))
		}
	}
	return out, nil
}

// shownRollout adds what this daemon measures.
func (s *Server) shownRollout(r *controlstate.Rollout) adminapi.GuardedRollout {
	out := adminapi.GuardedRollout{
		ID: r.ID, Model: r.Model, Endpoint: r.Endpoint, State: r.State, Steps: r.Steps, Step: r.Step + 1, Every: span(r.Every), Guard: r.Guard, MinRequests: r.MinRequests,
		Author: r.Author, Reason: r.Reason, Started: r.Created, Since: r.Since, Why: r.Why,
	}
	for _, event := range r.Log {
		out.Log = append(out.Log, adminapi.RolloutAction{Time: event.Time, Release: event.Release, Share: event.Share, What: event.What})
		out.Share = event.Share
	}
	if !r.Active() {
		out.Ended = &r.Ended
		return out
	}
	out.LeftMS = max(0, (r.Every - time.Since(r.Since)).Milliseconds())
	v, known := s.o.Rollouts.Verdict(r.ID)
	if !known {
		return out
	}
	out.Next, out.Why = string(v.Action), v.Reason
	for _, one := range v.Results {
		out.Results = append(out.Results, adminapi.GuardResult{Guard: one.Guard, State: one.State, Value: one.Value, Others: one.Others, Requests: one.Requests})
	}
	return out
}

// activeRollouts are the rollouts that have not ended, as last read.
func (s *Server) activeRollouts() (list []adminapi.ActiveRollout) {
	for _, r := range s.o.Publisher.Rollouts() {
		list = append(list, adminapi.ActiveRollout{Model: r.Model, Endpoint: r.Endpoint, State: r.State, Step: r.Step + 1, Steps: len(r.Steps), Share: r.Steps[r.Step]})
	}
	return list
}

// span writes a duration without empty parts: 2m, not 2m0s.
func span(d time.Duration) string {
	text := d.String()
	for _, empty := range []string{"m0s", "h0m"} {
		if n := len(text) - len(empty); n > 0 && text[n:] == empty {
			text = text[:n+1]
		}
	}
	return text
}

func (s *Server) startRollout(ctx context.Context, in adminapi.RolloutStart) (adminapi.GuardedRollout, error) {
	p := rollout.Plan{Model: in.Model, Endpoint: in.To, Steps: in.Steps, Guard: cmp.Or(in.Guard, guard.Default), MinRequests: cmp.Or(in.MinRequests, adminapi.DefaultRolloutRequests)}
	if in.To == "" {
		return adminapi.GuardedRollout{}, badRequest("to: no endpoint specified")
	}
	if len(p.Steps) == 0 {
		p.Steps = []float64{1, 5, 25, 50, 100}
	}
	if err := guard.CheckSteps(p.Steps); err != nil {
		return adminapi.GuardedRollout{}, badRequest("steps: %s", err)
	}
	if _, err := guard.Parse(p.Guard); err != nil {
		return adminapi.GuardedRollout{}, badRequest("guard: %s", err)
	}
	var err error
	if p.Every, err = guard.ParseEvery(cmp.Or(in.Every, adminapi.DefaultRolloutEvery)); err != nil {
		return adminapi.GuardedRollout{}, badRequest("every: %s", err)
	}
	made, err := s.o.Rollouts.Start(ctx, publish.Change{Author: cmp.Or(in.Author, defaultAuthor), Reason: in.Reason}, p)
	if err != nil {
		return adminapi.GuardedRollout{}, err
	}
	return s.shownRollout(&made), nil
}

func (s *Server) pauseRollout(ctx context.Context, in adminapi.RolloutChange) (adminapi.GuardedRollout, error) {
	return s.changeRollout(ctx, in, s.o.Rollouts.Pause)
}

func (s *Server) resumeRollout(ctx context.Context, in adminapi.RolloutChange) (adminapi.GuardedRollout, error) {
	return s.changeRollout(ctx, in, s.o.Rollouts.Resume)
}

func (s *Server) abortRollout(ctx context.Context, in adminapi.RolloutChange) (adminapi.GuardedRollout, error) {
	return s.changeRollout(ctx, in, s.o.Rollouts.Abort)
}

func (s *Server) finishRollout(ctx context.Context, in adminapi.RolloutChange) (adminapi.GuardedRollout, error) {
	return s.changeRollout(ctx, in, s.o.Rollouts.Finish)
}

func (s *Server) changeRollout(ctx context.Context, in adminapi.RolloutChange, do func(ctx context.Context, model, by, reason string) (controlstate.Rollout, error)) (adminapi.GuardedRollout, error) {
	r, err := do(lasting(ctx), in.Model, cmp.Or(in.Author, defaultAuthor), in.Reason)
	if err != nil {
		return adminapi.GuardedRollout{}, err
	}
	return s.shownRollout(&r), nil
}
