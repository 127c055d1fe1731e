// Package snapshot is what a node routes by: a release and a key table
// compiled into the form that requests use. A snapshot is built whole, then
// swapped in by one pointer; nothing in it changes afterwards, except the
// state of endpoints, which outlives it.
package snapshot

import (
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

// Snapshot is one consistent view. A request loads it once.
type Snapshot struct {
	Epoch, Release uint64
	Keys           *Keys
	// Models in the order of the configuration; byName has aliases, too.
	Models      []*Model
	Default     *Model
	byName      map[string]*Model
	HealthCheck wire.HealthCheck
	// Missing lists the endpoints that are out of service for want of a secret.
	Missing []wire.MissingSecret
	// RoutingJSON is the answer to GET /routing.
	RoutingJSON []byte
	// Lists are the answers to GET models by role, for keys that may use all
	// that their role may.
	Lists [RoleAdmin + 1][]byte
}

// Model returns the model of that id or alias, nil if there is none.
func (s *Snapshot) Model(name []byte) *Model { return s.byName[string(name)] }

// Model is a model ready to be routed.
type Model struct {
	*wire.Model
	Role Role
	// Endpoints are those in service and of a weight above 0, Total the sum of
	// their weights. Parked could serve, but get no traffic unless by name.
	Endpoints []*Endpoint
	Total     float64
	Parked    []*Endpoint
	// Uneven are parameters that some of the endpoints take and others do not,
	// of those by which a client would notice.
	Uneven chat.ParamSet
	// Outputs are the output modalities; embedding models have their own.
	Outputs []string
	// Parameters are the names of what every endpoint is advertised to take.
	Parameters []string
	// Price is the advertised one.
	Price Price
	// Group is the family of the model's tokenizer in OpenRouter's words.
	Group string
	// JSON is the model's object in GET /models, Page the beginning of GET
	// models/{id}/endpoints, up to the endpoints.
	JSON, Page []byte
}

// Endpoint is an endpoint ready to be called.
type Endpoint struct {
	*wire.Endpoint
	Adapter codec.Adapter
	Sender  upstream.Sender
	// Auth holds a credential for each of the endpoint's secrets, an empty one
	// where it has none.
	Auth  []*Credential
	Price Price
	// Timeouts of the endpoint where it has its own, else of the node.
	Timeouts upstream.Timeouts
	// State outlives the snapshot.
	State *upstream.State

	// Slugs are what preferences may call the endpoint by.
	Slugs []string
	// Takes are the parameters that reach the upstream, Parameters the names
	// of those that are advertised.
	Takes      chat.ParamSet
	Parameters []string
	// Quantization is one of OpenRouter's words.
	Quantization string
	// JSON is the endpoint's object in GET models/{id}/endpoints without what
	// is measured and without its closing brace.
	JSON []byte
}

// Available reports whether the endpoint may be planned for.
func (e *Endpoint) Available(now time.Time) bool { return e.State.Available(now) && !e.Full() }

// Full reports whether the endpoint has as many requests as it may have at a time.
func (e *Endpoint) Full() bool {
	return e.MaxConcurrency > 0 && e.State.InFlight.Load() >= int64(e.MaxConcurrency)
}

// inputs maps the names of modalities to what they allow in messages.
func inputs(modalities []string) chat.Feature {
	var f chat.Feature
	for _, m := range modalities {
		switch m {
		case "image":
			f |= chat.HasImage
		case "audio":
			f |= chat.HasAudio
		case "video":
			f |= chat.HasVideo
		case "file":
			f |= chat.HasFile
		}
	}
	return f
}
