package gateway

import (
	"slices"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/tokens"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// admission is what a request has taken of limits. A key without any costs
// nothing.
type admission struct {
	registry *limits.Registry
	clock    limits.Clock
	caller   *caller
	attempt  *attempt
	req      *chat.Request

	hold    limits.Hold
	general []*limits.Counter // those for all models and providers
}

// admit takes of each limit what the request may need. Limits for one model or
// provider take their endpoints out of the plan, and refuse only when none is left.
func (a *admission) admit() *problem.Problem {
	list := a.caller.key.Limits
	if len(list) == 0 {
		return nil
	}
	need := a.need(list)
	a.general = a.general[:0]
	for i, c := range list {
		l := c.Limit()
		if l.Model == "" && l.Provider == "" {
			a.general = append(a.general, c)
			continue
		}
		if p := a.admitScoped(list[i:i+1], &need); p != nil {
			a.hold.Release(a.registry)
			return p
		}
	}
	if refused := a.registry.Admit(a.general, &need, a.clock, &a.hold); refused != nil {
		a.hold.Release(a.registry)
		return a.refusal(refused)
	}
	return nil
}

// admitScoped takes of a limit for one model or provider, if an endpoint of the
// plan is one of these.
func (a *admission) admitScoped(one []*limits.Counter, need *limits.Need) *problem.Problem {
	l := one[0].Limit()
	applies := func(c route.Candidate) bool { return within(l, c.Model.ID, c.Endpoint.Provider) }
	for _, candidate := range a.attempt.plan.Candidates() {
		if !applies(candidate) {
			continue
		}
		refused := a.registry.Admit(one, need, a.clock, &a.hold)
		if refused == nil {
			return nil
		}
		if a.attempt.plan.Drop(applies); len(a.attempt.plan.Candidates()) == 0 {
			return a.refusal(refused)
		}
		return nil
	}
	return nil
}

// within reports whether a limit is for that model or provider.
func within(l *wire.Limit, model, provider string) bool {
	return (l.Model == "" || l.Model == model) && (l.Provider == "" || l.Provider == wire.Slug(provider))
}

// need estimates what the request takes: its prompt and the longest answer that
// it allows, else the model's usual one, at the highest price of the plan.
func (a *admission) need(list []*limits.Counter) (n limits.Need) {
	candidates := a.attempt.plan.Candidates()
	if !slices.ContainsFunc(list, counted) || len(candidates) == 0 {
		return n
	}
	prompt, completion := a.tokens(candidates[0].Model)
	n.Tokens = prompt + completion
	bill := price.Bill{Unix: a.caller.started.Unix(), Used: price.Used{Prompt: prompt, Completion: completion}}
	for _, c := range candidates {
		cost := c.Endpoint.Price.Cost(&bill)
		n.Cost = max(n.Cost, cost.Total())
	}
	return n
}

// counted reports whether a limit counts tokens or money.
func counted(c *limits.Counter) bool {
	switch c.Limit().Kind {
	case wire.LimitTPM, wire.LimitTPD, wire.LimitBudget:
		return true
	}
	return false
}

// endpoints is what the request takes of the limits that providers have.
func (a *admission) endpoints() (n limits.Need) {
	for _, c := range a.attempt.plan.Candidates() {
		if slices.ContainsFunc(c.Endpoint.Limits, counted) {
			prompt, completion := a.tokens(c.Model)
			n.Tokens = max(n.Tokens, prompt+completion)
		}
	}
	return n
}

// tokens estimates those of the prompt and of the answer of a model.
func (a *admission) tokens(m *snapshot.Model) (prompt, completion int64) {
	prompt, _ = tokens.OfPrompt(a.req)
	completion = a.req.MaxTokens
	if completion <= 0 {
		completion = m.Answers.Mean()
	}
	if m.MaxOutputLength > 0 {
		completion = min(completion, int64(m.MaxOutputLength))
	}
	return prompt, completion
}

// settle replaces the estimate by what the request has come to.
func (a *admission) settle(u *wire.Usage, cost int64) {
	if m := a.attempt.run.Current().Model; m != nil && !u.Shadow && u.UsageSource == wire.UsageProvider && u.CompletionTokens > 0 && (!a.hold.Empty() || a.attempt.run.Counted() || m.Policy == snapshot.Cost) {
		m.Answers.Note(u.CompletionTokens)
	}
	if u.UsageSource != wire.UsageNone {
		a.attempt.run.Settle(u.PromptTokens + u.CompletionTokens)
	}
	if a.hold.Empty() {
		return
	}
	used := limits.Need{Tokens: u.PromptTokens + u.CompletionTokens, Cost: cost}
	a.hold.Settle(a.registry, &used, func(l *wire.Limit) bool { return a.counts(l, u) })
}

// counts reports whether a limit for one model or provider counts the request:
// its tokens and cost where it was answered, the request wherever it was tried.
func (a *admission) counts(l *wire.Limit, u *wire.Usage) bool {
	if l.Kind != wire.LimitRPM && l.Kind != wire.LimitRPD {
		return within(l, u.Model, u.Provider)
	}
	for _, made := range u.Attempts {
		if c := a.attempt.candidate(made.Endpoint); c.Endpoint != nil && within(l, c.Model.ID, c.Endpoint.Provider) {
			return true
		}
	}
	return within(l, u.Model, u.Provider)
}

// end gives back what is in flight, and what was never settled.
func (a *admission) end() {
	a.hold.Release(a.registry)
}

// outageWait is what a client is told to wait while no one grants.
const outageWait = time.Second

// refusal is what the client learns.
func (a *admission) refusal(r *limits.Refusal) *problem.Problem {
	l := r.Limit
	p := &problem.Problem{Status: 429, Type: "rate_limit_exceeded", RetryAfter: r.Retry}
	p.Limit = &problem.Limit{Name: l.Name(), Holder: r.Holder, ID: r.ID, Value: amount(l, l.Value), Left: amount(l, r.Left)}
	if r.Retry > 0 {
		p.Limit.Reset = time.Now().Add(r.Retry)
	}
	who := r.Holder
	if r.ID != "" {
		who += " " + r.ID
	}
	p.Message = "Rate limit exceeded: " + l.Name() + " of " + who + " is " + wire.FormatLimitValue(l.Kind, l.Value)
	switch {
	case r.Outage:
		p.Status, p.Type, p.RetryAfter = 503, "provider_overloaded", max(outageWait, r.Retry)
		p.Message = "The limit " + l.Name() + " of " + who + " cannot be checked at the moment"
	case l.Kind == wire.LimitBudget:
		p.Status, p.Type, p.RetryAfter = 402, "payment_required", 0
		p.Message = "Insufficient credits: the " + l.Name() + " of " + who + " is " + wire.FormatLimitValue(l.Kind, l.Value)
	case r.Retry == 0:
		p.RetryAfter = outageWait
	}
	return p
}

// amount is an amount in the limit's unit: USD for budgets.
func amount(l *wire.Limit, n int64) string {
	if l.Kind == wire.LimitBudget {
		return wire.FormatUSD(n)
	}
	return strconv.FormatInt(n, 10)
}
