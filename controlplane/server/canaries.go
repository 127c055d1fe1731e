package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/rollout"
)

func (s *Server) canaries(ctx context.Context, in adminapi.CanaryQuery) ([]adminapi.Canary, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	list, err := db.Canaries(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.Canary, len(list))
	for i := range list {
		out[i] = s.shownCanary(&list[i])
	}
	return out, nil
}

// shownCanary adds what this daemon measures.
func (s *Server) shownCanary(c *controlstate.Canary) adminapi.Canary {
	out := adminapi.Canary{
		ID: c.ID, State: c.State, Release: c.Release.Number, Nodes: c.Nodes, For: span(c.Takes), Guard: c.Guard, MinRequests: c.MinRequests, Models: append([]string{}, c.Models...), Endpoints: append([]string{}, c.Endpoints...), Results: []adminapi.CanaryGuardResult{},
		Author: c.Release.Author, Reason: c.Release.Reason, Started: c.Created, Why: c.Why, Final: c.Final,
	}
	if c.State != controlstate.CanaryRunning {
		out.Ended = &c.Ended
		return out
	}
	out.LeftMS = left(c)
	v, known := s.o.Rollouts.CanaryVerdict(c.ID)
	if !known {
		return out
	}
	out.Next, out.Why = string(v.Action), v.Reason
	for _, r := range v.Results {
		out.Results = append(out.Results, adminapi.CanaryGuardResult{
			Of: r.Of, GuardResult: adminapi.GuardResult{Guard: r.Guard, State: r.State, Value: r.Value, Others: r.Others, Requests: r.Requests},
		})
	}
	return out
}

// left is how long a canary's nodes serve it at least, in milliseconds.
func left(c *controlstate.Canary) int64 {
	return max(0, (c.Takes - time.Since(c.Created)).Milliseconds())
}

func (s *Server) activeCanary() *adminapi.ActiveCanary {
	c := s.o.Publisher.Canary()
	if c == nil {
		return nil
	}
	return &adminapi.ActiveCanary{ID: c.ID, Release: c.Release.Number, Nodes: c.Nodes, LeftMS: left(c)}
}

func (s *Server) startCanary(ctx context.Context, in adminapi.CanaryStart) (adminapi.CanaryResult, error) {
	p, err := canaryPlan(&in)
	if err != nil {
		return adminapi.CanaryResult{}, err
	}
	src := publish.Source{Models: in.Models, Routing: in.Routing, PaidShadows: in.PaidShadows}
	done, made, err := s.o.Rollouts.StartCanary(ctx, changeOf(in.Change), src, p)
	if err != nil {
		return adminapi.CanaryResult{}, err
	}
	out := adminapi.CanaryResult{ApplyResult: applied(&done)}
	out.Rollout = adminapi.Rollout{Release: done.Release.Number, Changed: done.Changed, Changes: done.Changes}
	if in.DryRun {
		if current := s.o.Publisher.Current(); current != nil {
			out.Release = current.Number
		}
		return out, nil
	}
	if made != nil {
		shown := s.shownCanary(made)
		out.Canary = &shown
		out.Nodes = s.wait(ctx, nodes.Want{Epoch: done.Release.Epoch, Release: done.Release.Number, Hash: done.Release.Hash, Canary: p.Nodes}, in.Wait())
	}
	return out, nil
}

// maxCanaryNodes bounds the beat.
const maxCanaryNodes = 100

func canaryPlan(in *adminapi.CanaryStart) (rollout.CanaryPlan, error) {
	p := rollout.CanaryPlan{Guard: cmp.Or(in.Guard, guard.Default), MinRequests: cmp.Or(in.MinRequests, adminapi.DefaultRolloutRequests)}
	for _, name := range in.Nodes {
		if name = strings.TrimSpace(name); name == "" || slices.Contains(p.Nodes, name) {
			return p, badRequest("nodes: empty or duplicate name %q", name)
		}
		p.Nodes = append(p.Nodes, name)
	}
	if len(p.Nodes) == 0 || len(p.Nodes) > maxCanaryNodes {
		return p, badRequest("nodes: there must be 1 to %d names, got %d", maxCanaryNodes, len(p.Nodes))
	}
	if _, err := guard.Parse(p.Guard); err != nil {
		return p, badRequest("guard: %s", err)
	}
	var err error
	if p.For, err = guard.ParseEvery(cmp.Or(in.For, adminapi.DefaultCanaryFor)); err != nil {
		return p, badRequest("for: %s", err)
	}
	return p, nil
}

func (s *Server) promoteCanary(ctx context.Context, in adminapi.CanaryChange) (adminapi.Canary, error) {
	return s.endCanary(ctx, in, s.o.Rollouts.PromoteCanary)
}

func (s *Server) abortCanary(ctx context.Context, in adminapi.CanaryChange) (adminapi.Canary, error) {
	return s.endCanary(ctx, in, s.o.Rollouts.AbortCanary)
}

func (s *Server) endCanary(ctx context.Context, in adminapi.CanaryChange, do func(ctx context.Context, by, reason string) (controlstate.Canary, error)) (adminapi.Canary, error) {
	c, err := do(lasting(ctx), cmp.Or(in.Author, defaultAuthor), in.Reason)
	if err != nil {
		return adminapi.Canary{}, err
	}
	return s.shownCanary(&c), nil
}
