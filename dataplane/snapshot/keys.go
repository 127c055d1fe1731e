package snapshot

import (
	"encoding/hex"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/shared/wire"
)

// Keys is the table of accepted API keys.
type Keys struct {
	Version uint64
	byHash  map[[32]byte]*Key
	anyone  *Key
}

// Key is what an accepted API key may do.
type Key struct {
	ID, Name, User string
	// Team is the id of the key's team, "" for none.
	Team string
	Role Role
	// Spent outlives the table.
	Spent *Spending
	// Limits are those of the key, its user, its team and the gateway.
	Limits []*limits.Counter
	// Metrics are those of the team, nil if they are not counted.
	Metrics *metrics.Team
	// Priority says whose request goes first in a queue: the higher one.
	Priority int
	// models are the only ones allowed if restricted.
	models     []string
	restricted bool
	expires    int64
}

// Anonymous is a key that may use everything, without limits.
func Anonymous() *Key {
	return &Key{ID: "anonymous", Name: "anonymous", User: "anonymous", Role: RoleAdmin, Spent: &Spending{}}
}

// keys compiles a key table.
func (b *Builder) keys(t *wire.KeyTable) *Keys {
	k := &Keys{byHash: map[[32]byte]*Key{}, anyone: Anonymous()}
	if before := b.spent[k.anyone.ID]; before != nil {
		k.anyone.Spent = before
	}
	spent := map[string]*Spending{k.anyone.ID: k.anyone.Spent}
	defer func() { b.spent = spent }()
	if t == nil {
		return k
	}
	shared := b.limitsOf(t)
	k.anyone.Limits = shared.of(&wire.Key{ID: k.anyone.ID, User: k.anyone.User})
	k.Version = t.Version
	teams := make(map[string]*wire.Team, len(t.Teams))
	for i := range t.Teams {
		teams[t.Teams[i].ID] = &t.Teams[i]
	}
	counted := map[*metrics.Team]bool{}
	defer func() { b.Metrics.KeepTeams(counted) }()
	for i := range t.Keys {
		w := &t.Keys[i]
		var sum [32]byte
		if n, err := hex.Decode(sum[:], []byte(w.Hash)); err != nil || n != len(sum) {
			continue // no key can hash to it
		}
		role, err := RoleOf(w.Role)
		if err != nil {
			role = RoleFree // a role that this node does not know gives no rights
		}
		if spent[w.ID] = b.spent[w.ID]; spent[w.ID] == nil {
			spent[w.ID] = &Spending{}
		}
		key := &Key{ID: w.ID, Name: w.Name, User: w.User, Team: w.Team, Role: role, Priority: w.Priority, Spent: spent[w.ID], expires: w.Expires}
		key.models, key.restricted = allowedModels(w, teams)
		k.byHash[sum] = key
		key.Limits, key.Metrics = shared.of(w), b.Metrics.Team(w.Team)
		counted[key.Metrics] = true
	}
	return k
}

// allowedModels are those that both the key and its team allow. A team that
// the table does not have allows none.
func allowedModels(w *wire.Key, teams map[string]*wire.Team) (models []string, restricted bool) {
	if w.Team == "" {
		return w.Models, len(w.Models) > 0
	}
	team := teams[w.Team]
	switch {
	case team == nil:
		return nil, true
	case len(team.Models) == 0:
		return w.Models, len(w.Models) > 0
	case len(w.Models) == 0:
		return team.Models, true
	}
	for _, m := range w.Models {
		if slices.Contains(team.Models, m) {
			models = append(models, m)
		}
	}
	return models, true
}

// Anyone is the key of every request when authentication is off. The limits of
// the gateway and of the user "anonymous" hold for it.
func (k *Keys) Anyone() *Key { return k.anyone }

// Find returns the key with that hash, nil if there is none or it has expired.
func (k *Keys) Find(sum *[32]byte, now time.Time) *Key {
	key := k.byHash[*sum]
	if key == nil || key.expires != 0 && now.Unix() >= key.expires {
		return nil
	}
	return key
}

// May reports whether the key may use a model.
func (k *Key) May(m *Model) bool {
	return k.Role >= m.Role && (!k.restricted || slices.Contains(k.models, m.ID))
}

// Expires is when the key stops being accepted, the zero time for never.
func (k *Key) Expires() time.Time {
	if k.expires == 0 {
		return time.Time{}
	}
	return time.Unix(k.expires, 0).UTC()
}

// Restricted reports whether the key may use certain models only.
func (k *Key) Restricted() bool { return k.restricted }

// All lists the keys of the table, in no order.
func (k *Keys) All() iter.Seq[*Key] { return maps.Values(k.byHash) }
