package snapshot

import (
	"slices"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/shared/wire"
)

// sharedLimits are the counters that several keys have in common.
type sharedLimits struct {
	registry     *limits.Registry
	gateway      []*limits.Counter
	users, teams map[string][]*limits.Counter
}

// limitsOf names the counters of a key table.
func (b *Builder) limitsOf(t *wire.KeyTable) *sharedLimits {
	s := &sharedLimits{registry: b.Limits, users: map[string][]*limits.Counter{}, teams: map[string][]*limits.Counter{}}
	s.gateway = s.counters(wire.HolderGateway, "", t.Gateway)
	for user, list := range t.Users {
		s.users[user] = s.counters(wire.HolderUser, user, list)
	}
	for i := range t.Teams {
		s.teams[t.Teams[i].ID] = s.counters(wire.HolderTeam, t.Teams[i].ID, t.Teams[i].Limits)
	}
	return s
}

func (s *sharedLimits) counters(holder, id string, list []wire.Limit) []*limits.Counter {
	var out []*limits.Counter
	for i := range list {
		out = append(out, s.registry.Counter(holder, id, &list[i]))
	}
	return out
}

// limitsAt returns the counters of the limits that an endpoint's provider has.
func (b *Builder) limitsAt(e *wire.Endpoint) []*limits.Counter {
	return (&sharedLimits{registry: b.Limits}).counters(wire.HolderEndpoint, e.ID, e.Limits())
}

// of returns all limits of a key, its own first.
func (s *sharedLimits) of(k *wire.Key) []*limits.Counter {
	own := s.counters(wire.HolderKey, k.ID, k.Limits)
	return slices.Concat(own, s.users[k.User], s.teams[k.Team], s.gateway)
}
