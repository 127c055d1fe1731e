package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/wire"
)

// teams are the series of teams, where METRICS_TEAMS asks for them. There are as
// many as the key table has teams.
type teams struct {
	mu    sync.Mutex
	known map[string]*Team
}

// ByTeam counts by team, too, from now on.
func (q *Requests) ByTeam(r *exposition.Registry) {
	q.teams = &teams{known: map[string]*Team{}}
	r.Add(q.teams.write)
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
		t = &Team{labels: labels(q.node, labelTeam, id), id: id}
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
	maps.DeleteFunc(q.teams.known, func(_ string, t *Team) bool { return !current[t] })
}

// write writes the series of all teams.
func (t *teams) write(w *exposition.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.SortedFunc(maps.Values(t.known), func(a, b *Team) int { return strings.Compare(a.id, b.id) })
	w.Family(exposition.Counter, "gateway_team_requests_total", "Requests by team and class of the status that the client got.")
	for _, team := range list {
		for class := range team.requests {
			team.requests[class].write(w, &team.labels, &classTable[class])
		}
	}
	w.Family(exposition.Counter, "gateway_team_tokens_total", "Tokens of teams by kind, as gateway_tokens_total.")
	for _, team := range list {
		for kind := range team.tokens {
			team.tokens[kind].write(w, &team.labels, &kindTable[kind])
		}
	}
	w.Family(exposition.Counter, "gateway_team_cost_usd_total", "Cost of the requests of teams in US dollars, by the configured prices.")
	for _, team := range list {
		team.cost.write(w, &team.labels)
	}
}

// Team is what is counted of a team. A nil one counts nothing.
type Team struct {
	labels   exposition.Labels
	id       string
	requests [len(classes)]counter
	tokens   [tokenKinds]counter
	cost     sum
}

// Answered counts a request with the status that its client got.
func (t *Team) Answered(status int) {
	if t != nil {
		t.requests[classOf(status)].Add(1)
	}
}

// Used counts what a request came to. cost is in pico-dollars.
func (t *Team) Used(u *wire.Usage, cost int64) {
	if t == nil {
		return
	}
	for kind, n := range tokensOf(u) {
		if n > 0 {
			t.tokens[kind].Add(uint64(n))
		}
	}
	if cost > 0 {
		t.cost.add(float64(cost) / 1e12)
	}
}
