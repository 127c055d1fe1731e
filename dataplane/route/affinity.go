package route

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// Hash is the FNV-1a hash of a name: the same on every node. "" has the hash 0,
// which means no session.
func Hash(name string) uint64 {
	if name == "" {
		return 0
	}
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// Affinity says what keeps a request of the model to one endpoint: the hash of
// its session, else of its prompt's beginning, 0 for nothing.
func (w *Constraints) Affinity(m *snapshot.Model) uint64 {
	switch {
	case m.Affinity == snapshot.NoAffinity || len(m.Endpoints) < 2:
		return 0
	case w.Session != 0:
		return w.Session
	case m.Affinity == snapshot.ByPrefix:
		return w.Prefix
	}
	return 0
}

const (
	// crowd is how much more than its share of the requests in flight an
	// endpoint may have before its requests go elsewhere, and slack how many more
	// at least: with few requests any spread is uneven.
	crowd = 1.25
	slack = 16
	// crowded is added to the lot of an endpoint that has too many.
	crowded = 1e12
)

// drawing lets endpoints draw lots: the one with the least is first, each with
// the probability of its weight. Requests of one affinity draw the same on every
// node, so that all of them find the caches of one endpoint: this is rendezvous
// hashing with weights. Without affinity it is chance.
type drawing struct {
	affinity uint64
	now      time.Time
	// room is how many requests a weight of 1 may have in flight.
	room float64
}

// newDrawing is for endpoints of equal standing.
func newDrawing(list []entrant, affinity uint64, now time.Time) drawing {
	d := drawing{affinity: affinity, now: now}
	if affinity == 0 {
		return d
	}
	load, weight := int64(0), 0.0
	for i := range list {
		load += list[i].endpoint.State.InFlight.Load()
		weight += list[i].endpoint.Weight
	}
	d.room = crowd * float64(load) / weight
	return d
}

// lot is what an endpoint draws.
func (d *drawing) lot(e *snapshot.Endpoint) float64 {
	weight := e.Weight * e.State.Share(d.now)
	if d.affinity == 0 {
		return rand.ExpFloat64() / weight
	}
	lot := -math.Log(unit(d.affinity^Hash(e.ID))) / weight
	if float64(e.State.InFlight.Load()) > d.room*e.Weight+slack {
		lot += crowded
	}
	return lot
}

// unit spreads hashes evenly over (0, 1], as splitmix64 does.
func unit(h uint64) float64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	return (float64(h>>11) + 1) / (1 << 53)
}
