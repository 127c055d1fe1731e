package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/shared/wire"
)

// teams are the series of teams, where METRICS_TEAMS asks for them. There are as
// many as the key table has teams.
type teams struct {
	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	cost     *prometheus.CounterVec

	mu    sync.Mutex
	known map[string]*Team
}

// ByTeam counts by team, too, from now on.
func (q *Requests) ByTeam(r prometheus.Registerer, node string) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: NodeLabel(node)}, labels)
		r.MustRegister(v)
		return v
	}
	q.teams = &teams{
		requests: counter("gateway_team_requests_total", "Requests by team and class of the status that the client got.", labelTeam, labelStatus),
		tokens:   counter("gateway_team_tokens_total", "Tokens of teams by kind, as gateway_tokens_total.", labelTeam, "kind"),
		cost:     counter("gateway_team_cost_usd_total", "Cost of the requests of teams in US dollars, by the configured prices.", labelTeam),
		known:    map[string]*Team{},
	}
}

// Team returns the series of a team by its id, the same for the same id; nil for
// "", and if teams are not counted.
func (q *Requests) Team(id string) *Team {
	if q.teams == nil || id == "" {
		return nil
	}
	q.teams.mu.Lock()
	defer q.teams.mu.Unlock()
	t := q.teams.known[id]
	if t == nil {
		t = &Team{all: q.teams, id: id}
		q.teams.known[id] = t
	}
	return t
}

// KeepTeams drops the series of all teams but these.
func (q *Requests) KeepTeams(current map[*Team]bool) {
	if q.teams == nil {
		return
	}
	q.teams.mu.Lock()
	defer q.teams.mu.Unlock()
	for id, t := range q.teams.known {
		if current[t] {
			continue
		}
		delete(q.teams.known, id)
		for _, v := range []*prometheus.CounterVec{q.teams.requests, q.teams.tokens, q.teams.cost} {
			v.DeletePartialMatch(prometheus.Labels{labelTeam: id})
		}
	}
}

// Team is what is counted of a team. A nil one counts nothing.
type Team struct {
	all      *teams
	id       string
	requests [len(classes)]lazyCounter
	tokens   [tokenKinds]lazyCounter
	cost     lazyCounter
}

// Answered counts a request with the status that its client got.
func (t *Team) Answered(status int) {
	if t == nil {
		return
	}
	class := classOf(status)
	t.requests[class].get(t.all.requests, t.id, classes[class]).Inc()
}

// Used counts what a request came to. cost is in pico-dollars.
func (t *Team) Used(u *wire.Usage, cost int64) {
	if t == nil {
		return
	}
	for kind, n := range tokensOf(u) {
		if n > 0 {
			t.tokens[kind].get(t.all.tokens, t.id, kindNames[kind]).Add(float64(n))
		}
	}
	if cost > 0 {
		t.cost.get(t.all.cost, t.id).Add(float64(cost) / 1e12)
	}
}
