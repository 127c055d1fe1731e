package server

import (
	"cmp"
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// defaultAuthor makes the changes of callers that do not give a name.
const defaultAuthor = "admin"

// changeOf returns a change as the publisher takes it.
func changeOf(in adminapi.Change) publish.Change {
	return publish.Change{Author: cmp.Or(in.Author, defaultAuthor), Reason: in.Reason, IfRelease: in.IfRelease, DryRun: in.DryRun}
}

// entry returns the audit log's record of a change.
func entry(by adminapi.ByAuthor, reason, action, target string) controlstate.Entry {
	return controlstate.Entry{Author: cmp.Or(by.Author, defaultAuthor), Action: action, Target: target, Reason: reason}
}

// lasting is the context of a change: a caller that gives up does not stop it,
// since the outcome would be unknown.
func lasting(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// wait returns what the nodes did within the time asked for.
func (s *Server) wait(ctx context.Context, want nodes.Want, limit time.Duration) []adminapi.NodeResult {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var out []adminapi.NodeResult
	for _, a := range s.o.Nodes.Wait(ctx, want) {
		out = append(out, adminapi.NodeResult{Node: a.Node, State: string(a.State), MS: a.MS, Reason: a.Reason})
	}
	return out
}

// rollout waits for the nodes to take the release that a change has made.
func (s *Server) rollout(ctx context.Context, done publish.Result, err error, in adminapi.Change) (adminapi.Rollout, error) {
	if err != nil {
		return adminapi.Rollout{}, err
	}
	if in.DryRun {
		out := adminapi.Rollout{Changed: done.Changed, Changes: done.Changes}
		if current := s.o.Publisher.Current(); current != nil {
			out.Release = current.Number
		}
		return out, nil
	}
	want := nodes.Want{Epoch: done.Release.Epoch, Release: done.Release.Number, Hash: done.Release.Hash}
	return adminapi.Rollout{Release: done.Release.Number, Changed: done.Changed, Nodes: s.wait(ctx, want, in.Wait())}, nil
}

func (s *Server) setWeights(ctx context.Context, in adminapi.WeightChange) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.SetWeights(ctx, changeOf(in.Change), in.Model, in.Weights)
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) resetWeights(ctx context.Context, in adminapi.WeightReset) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.ResetWeights(ctx, changeOf(in.Change), in.Model)
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) disableEndpoints(ctx context.Context, in adminapi.EndpointSwitch) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.DisableEndpoints(ctx, changeOf(in.Change), in.Endpoints)
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) enableEndpoints(ctx context.Context, in adminapi.EndpointSwitch) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.EnableEndpoints(ctx, changeOf(in.Change), in.Endpoints)
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) rollback(ctx context.Context, in adminapi.Rollback) (adminapi.Rollout, error) {
	done, err := s.o.Publisher.Rollback(ctx, changeOf(in.Change), in.Number)
	return s.rollout(ctx, done, err, in.Change)
}

func (s *Server) apply(ctx context.Context, in adminapi.Application) (adminapi.ApplyResult, error) {
	done, err := s.o.Publisher.Apply(ctx, changeOf(in.Change), publish.Source{Models: in.Models, Routing: in.Routing, PaidShadows: in.PaidShadows})
	if err != nil {
		return adminapi.ApplyResult{}, err
	}
	out := applied(&done)
	out.Rollout, err = s.rollout(ctx, done, nil, in.Change)
	return out, err
}

func applied(done *publish.Result) adminapi.ApplyResult {
	return adminapi.ApplyResult{
		Changes: done.Changes, Warnings: done.Warnings, ModelsBefore: done.ModelsBefore, ModelsAfter: done.ModelsAfter, RemovedModels: done.Removed,
	}
}
