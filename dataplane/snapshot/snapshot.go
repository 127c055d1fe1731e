// Package snapshot is what a node routes by: a release and a key table
// compiled into the form that requests use. A snapshot is built completely, then
// swapped in by one pointer; nothing in it changes afterwards, except the
// state of endpoints, which outlives it.
package snapshot

import (
	"slices"
	"time"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/hedge"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Snapshot is one consistent view. A request loads it once.
type Snapshot struct {
	Epoch, Release uint64
	// Canary: few nodes serve the release, before all others.
	Canary bool
	Keys   *Keys
	// Models in the order of the configuration; byName has aliases, too.
	Models      []*Model
	Default     *Model
	byName      map[string]*Model
	byPrefix    []prefixed // the longest first
	HealthCheck wire.HealthCheck
	// Missing lists the endpoints that are out of service because a secret is missing.
	Missing []wire.MissingSecret
	// Catalog is what clients see of the release, its audiences are the roles.
	Catalog *catalog.Catalog
}

// Empty is the snapshot of a node that has neither release nor keys yet.
func Empty() *Snapshot {
	s := &Snapshot{Keys: &Keys{anyone: Anonymous()}}
	s.publish()
	return s
}

// Model returns the model of that id or alias, nil if there is none.
func (s *Snapshot) Model(name []byte) *Model {
	if m := s.byName[string(name)]; m != nil {
		return m
	}
	return s.likely(string(name))
}

// Model is a model ready to be routed.
type Model struct {
	*wire.Model
	Role Role
	// Endpoints are those in service and of a weight above 0, Total the sum of
	// their weights. Parked could serve, but get no traffic unless by name.
	Endpoints []*Endpoint
	Total     float64
	Parked    []*Endpoint
	// Shadows are those of the parked that get copies of requests.
	Shadows []*Endpoint
	// Uneven are parameters that some of the endpoints take and others do not,
	// of those by which a client would notice.
	Uneven chat.ParamSet
	// Entry is the model as clients see it.
	Entry *catalog.Model
	// Metrics outlive the snapshot.
	Metrics *metrics.Model
	// Policy and Affinity are how a request's endpoint is chosen.
	Policy   Policy
	Affinity Affinity
	// Answers is the usual length of answers. It outlives the snapshot.
	Answers *Answers
	// Queue is where requests wait while all endpoints are full, nil if they do
	// not. It outlives the snapshot.
	Queue *queue.Queue
	// Hedge says when a second endpoint is asked, nil for never. It outlives the
	// snapshot.
	Hedge *hedge.Policy
}

// Endpoint is an endpoint ready to be called.
type Endpoint struct {
	*wire.Endpoint
	// Source is the line of the endpoint's kind in the table of providers.
	Source  adapters.Provider
	Adapter codec.Adapter
	Sender  upstream.Sender
	// Auth holds a credential for each of the endpoint's secrets, an empty one
	// where it has none.
	Auth []*Credential
	// Hidden are the values of all its secrets, which no one may be shown.
	Hidden []string
	// Headers are sent with every request.
	Headers []codec.Header
	Price   *price.List
	// Timeouts of the endpoint where it has its own, else of the node.
	Timeouts upstream.Timeouts
	// State outlives the snapshot.
	State *upstream.State
	// Limits are those of the provider, counted over all nodes.
	Limits []*limits.Counter

	// Slugs are what preferences may call the endpoint by.
	Slugs []string
	// Takes are the parameters that reach the upstream.
	Takes chat.ParamSet
	// Quantization is one of OpenRouter's words.
	Quantization string
	// Entry is the endpoint as clients see it.
	Entry *catalog.Endpoint
	// Metrics outlive the snapshot.
	Metrics *metrics.Endpoint
}

// Named reports whether slug, in the form of catalog.Slug, means the endpoint.
func (e *Endpoint) Named(slug string) bool { return slices.Contains(e.Slugs, slug) }

// Visible returns what a key may see: models in service that it may use.
func (s *Snapshot) Visible(k *Key) []*catalog.Model {
	var out []*catalog.Model
	for _, m := range s.Models {
		if len(m.Endpoints) > 0 && k.May(m) {
			out = append(out, m.Entry)
		}
	}
	return out
}

// Available reports whether the endpoint may be planned for.
func (e *Endpoint) Available(now time.Time) bool { return e.State.Available(now) && !e.Full() }

// Admits reports whether the endpoint may be planned for when nothing else is
// left: a health check alone may be against it.
func (e *Endpoint) Admits(now time.Time) bool { return e.State.Admits(now) && !e.Full() }

// Full reports whether the endpoint has as many requests as it may have at a time.
func (e *Endpoint) Full() bool {
	return e.MaxConcurrency > 0 && e.State.InFlight.Load() >= int64(e.MaxConcurrency)
}
