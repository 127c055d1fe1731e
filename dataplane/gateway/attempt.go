package gateway

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
)

// attempt is a request's way to an endpoint: which may answer, and the run
// through them until one has. It holds the place at the endpoint until end.
type attempt struct {
	watcher    *disconnectWatcher
	caller     *caller
	lang       *api.Language
	translator api.Translator
	req        *chat.Request // the translator's

	targets     []route.Target // the models that may answer
	constraints route.Constraints
	plan        route.Plan
	run         dispatch.Run
	cancel      upstream.Cancel
	watch       watch
}

// start sends the request on its way along the plan. From now on its client's
// leaving breaks off whatever wait it is in.
func (a *attempt) start(policy dispatch.Policy, allowed dispatch.Limits, need limits.Need, mayHedge bool) {
	a.watcher.add(&a.watch, a.caller.ctx.Conn(), &a.cancel, a.caller.started)
	a.run.Start(dispatch.Request{
		Task: a.translator, Plan: a.plan.Candidates(), Cancel: &a.cancel, Caller: route.Hash(a.caller.key.ID), Key: a.caller.key.ID, Priority: a.caller.key.Priority, MayHedge: mayHedge,
		ClientRetries: retries(&a.caller.headers), Trace: a.caller.trace, Policy: policy, Limits: allowed, Need: need,
	})
}

// abandon breaks off the attempt of a client that left.
func (a *attempt) abandon(f *fault.Error) {
	a.cancel.Fire()
	a.run.Abandon(f)
}

// end releases the endpoint, whatever the attempt has come to.
func (a *attempt) end() {
	a.watcher.remove(&a.watch)
	a.run.Close()
	a.cancel = upstream.Cancel{}
	a.plan.Reset()
	clear(a.targets)
	a.targets, a.constraints = a.targets[:0], route.Constraints{}
}

// head is what every event of the answer has in common.
func (a *attempt) head(id string) api.Head {
	h := api.Head{ID: id, Created: a.caller.started.Unix()}
	if c := a.run.Current(); c.Model != nil {
		h.Model, h.Provider = c.Model.ID, c.Endpoint.Provider
	}
	return h
}

// problem turns the fault that ended the request into what the client learns
// of it, with the attempts before.
func (a *attempt) problem(f *fault.Error) *problem.Problem {
	p := problem.Of(f, a.head("").Provider)
	attempts := a.run.Attempts()
	for _, made := range attempts[:max(0, len(attempts)-1)] {
		if c := a.candidate(made.Endpoint); c.Endpoint != nil {
			p.Previous = append(p.Previous, problem.Attempt{Provider: c.Endpoint.Provider, Code: made.Kind, Status: made.Status})
		}
	}
	return a.explained(p)
}

// explained adds the routing decision, except to faults of ours.
func (a *attempt) explained(p *problem.Problem) *problem.Problem {
	if p.Status != 500 {
		p.Routing = a.routing()
	}
	return p
}

// model is the one that answers, else the first that was to, nil if there is none.
func (a *attempt) model() *snapshot.Model {
	if c := a.run.Current(); c.Model != nil {
		return c.Model
	}
	if len(a.targets) > 0 {
		return a.targets[0].Model
	}
	return nil
}

// candidate returns the planned endpoint of that id.
func (a *attempt) candidate(id string) route.Candidate {
	for _, c := range a.plan.Candidates() {
		if c.Endpoint.ID == id {
			return c
		}
	}
	return route.Candidate{}
}
