package config

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/shared/wire"
)

// Route is one entry of a model's route list: an endpoint.
type Route struct {
	// At is where the entry stands; for a model without route, the model.
	At Place
	// ID is unique in the file: the model's id, a colon, and the entry's own id
	// or a name made from its kind and address.
	ID   string
	Kind string
	// Slug is the provider that kind[slug] pins.
	Slug string
	// Weight is the share in the model's traffic, relative to the other
	// routes', 1 if absent. 0 is registered but never used.
	Weight float64
	// Shadow is the share of the model's requests of which the route gets a copy, up
	// to 1; 0 is none. The Weight of a shadow is 0. ShadowAt is where the key stands.
	Shadow   float64
	ShadowAt Place
	// BaseURL has no trailing slash; "" for kinds that are built in.
	BaseURL string
	// ProviderModelID is the upstream's name for the model, the model's id if
	// absent.
	ProviderModelID string
	// SecretNames are environment variables that hold the keys, not the keys.
	SecretNames []string
	// Region is where a provider with regions serves the route, "" if absent.
	Region string
	// APIVersion is the version of the provider's API, "" if absent.
	APIVersion string
	// Processor is default, glm, qwen_coder, think_block, think_open, or "" if absent.
	Processor string
	// ExtraBody is a JSON object, nil if absent. Numbers are as in the file.
	ExtraBody    json.RawMessage
	ExtraHeaders map[string]string
	// SecretHeaders and SecretBody are further members of these whose values are
	// secrets: variables by the name of the header or of the body's member.
	SecretHeaders, SecretBody map[string]string
	// Timeout and MaxConcurrency are 0 if absent: the node's default, no limit.
	Timeout        time.Duration
	MaxConcurrency int
	// Priority ranks the route under the policy priority, 0 if absent: the lowest
	// that has room is used.
	Priority int
	// RPM and TPM are what the provider allows over all nodes, 0 if absent: no limit.
	RPM, TPM int64
	// Optional means that no one minds when the endpoint is not there.
	Optional bool
	// ZDR means that whoever serves the endpoint keeps no prompts, NoCollection
	// that they do not collect them for purposes of their own. Both hold for a
	// server of our own, unless the file says otherwise.
	ZDR, NoCollection bool
	// Responses means that the server has POST responses itself: if absent, that
	// it is OpenAI's own.
	Responses bool
	// Traits override what the gateway knows of the model, nil for none.
	Traits *wire.Traits
	// StandIn is set for a kind that answers by itself beside routes that do not,
	// present or absent.
	StandIn bool
	// Pricing is the model's, with what the route itself says on top. What is
	// built in is free.
	Pricing Pricing
}

// routeEntry is a route while it is read.
type routeEntry struct {
	Route
	// id, kindKey and baseURL remember where the keys stand.
	id, kindKey, baseURL value
	weight, shadow       value
	zdr, dataCollection  value
	responses            value
	source               adapters.Provider
	// keyed means that the mapping at hand had an api_key or api_keys, anyKey
	// that it or the model had.
	keyed, anyKey bool
	// implicit is the one route of a model without a route list.
	implicit bool
}

// maxWeight is far above anything useful; a sum of such weights stays finite.
const maxWeight = 1e12

// maxPriority is far above the number of tiers that a model has.
const maxPriority = 1000

// maxTimeout is longer than any answer takes.
const maxTimeout = 24 * time.Hour

var routeID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// sharedKeys are those that a model may give for all of its routes.
func sharedKeys() []key[routeEntry] {
	return []key[routeEntry]{
		{"base_url", func(v value, r *routeEntry) { r.baseURL = v }},
		{"api_key", func(v value, r *routeEntry) { r.readSecrets(v, value.secret) }},
		{"api_keys", func(v value, r *routeEntry) { r.readSecrets(v, value.secrets) }},
		{"provider_model_id", readProviderModelID},
		{"region", func(v value, r *routeEntry) { v.text(&r.Region) }},
		{"pricing", func(v value, r *routeEntry) { readPricing(v, &r.Pricing) }},
		{"traits", readTraits},
	}
}

func routeKeys() []key[routeEntry] {
	own := []key[routeEntry]{
		{"kind", func(v value, r *routeEntry) { r.kindKey = v }},
		{"id", func(v value, r *routeEntry) { r.id = v }},
		{"weight", func(v value, r *routeEntry) { r.weight = v; v.number(&r.Weight, 0, maxWeight) }},
		{"shadow", func(v value, r *routeEntry) { r.shadow = v }},
		{"processor", func(v value, r *routeEntry) {
			v.choice(&r.Processor, "default", "glm", "qwen_coder", "think_block", "think_open")
		}},
		{"extra_body", func(v value, r *routeEntry) { v.extraBody(&r.ExtraBody, &r.SecretBody) }},
		{"extra_headers", func(v value, r *routeEntry) { v.headers(&r.ExtraHeaders, &r.SecretHeaders) }},
		{"timeout", func(v value, r *routeEntry) { v.duration(&r.Timeout, time.Millisecond, maxTimeout) }},
		{"max_concurrency", func(v value, r *routeEntry) { v.integer(&r.MaxConcurrency, 0, 1_000_000) }},
		{"priority", func(v value, r *routeEntry) { v.integer(&r.Priority, 0, maxPriority) }},
		{"rpm", func(v value, r *routeEntry) { v.limit(&r.RPM) }},
		{"tpm", func(v value, r *routeEntry) { v.limit(&r.TPM) }},
		{"api_version", func(v value, r *routeEntry) { v.text(&r.APIVersion) }},
		{"optional", func(v value, r *routeEntry) { v.flag(&r.Optional) }},
		{"responses", func(v value, r *routeEntry) { r.responses = v }},
		{"zdr", func(v value, r *routeEntry) { r.zdr = v }},
		{"data_collection", func(v value, r *routeEntry) { r.dataCollection = v }},
	}
	return slices.Concat(own, sharedKeys(), ignored[routeEntry](
		"subscription_type", "provider_type", "quota", "quota_source", "concurrency", "openrouter_sort"))
}

// readProviderModelID takes a variable that is not set for an absent key.
func readProviderModelID(v value, r *routeEntry) {
	x, ok := v.expanded("a string")
	switch {
	case !ok:
	case x.text == "" && len(x.empty) > 0:
		v.warnf("%s: using the model's id", unset(x.empty))
	case x.text == "":
		v.problemf("must not be empty: omit the key for the model's id")
	default:
		v.text(&r.ProviderModelID)
	}
}

// settleRoutes reads the routes, or makes the one that the model itself is.
func (m *modelEntry) settleRoutes() {
	if !m.routes.given() {
		r := m.inherit(m.at)
		r.implicit = true
		m.addRoute(r, m.at)
	} else if items, ok := m.routes.items(); ok && len(items) == 0 {
		m.routes.problemf("must not be empty: omit the key for a single route to the model's base_url")
	} else {
		for _, item := range items {
			r := m.inherit(item)
			if read(item, routeKeys(), r) {
				m.addRoute(r, item)
			}
		}
	}
	for i := range m.Routes {
		p, _ := adapters.Find(m.Routes[i].Kind) // settleKind has found it
		m.Routes[i].StandIn = p.BuiltIn && m.hosted
	}
	m.warnUnserved()
	m.warnUnpriced()
}

func (m *modelEntry) inherit(at value) *routeEntry {
	r := m.shared
	r.keyed = false
	r.At = at.place()
	r.Weight = 1
	r.kindKey = m.provider
	return &r
}

// addRoute completes a route and keeps it unless it is absent or wrong. Each
// step reports its own mistakes, whatever the others found.
func (m *modelEntry) addRoute(r *routeEntry, at value) {
	if r.ProviderModelID == "" {
		r.ProviderModelID = m.ID
	}
	kindOK := r.settleKind(at)
	host, urlOK := r.settleBaseURL(at)
	r.settlePolicy()
	r.settleShadow()
	if kindOK && r.source.BuiltIn {
		r.Pricing = Pricing{Prompt: "0", Completion: "0"}
	}
	m.hosted = m.hosted || kindOK && !r.source.BuiltIn
	own, idOK := r.ownID()
	if own == "" && kindOK && urlOK && idOK {
		own = r.derivedID(host)
	}
	if own != "" {
		r.ID = m.ID + ":" + own
		m.takeEndpoint(r)
	}
	if kindOK && urlOK && idOK {
		m.Routes = append(m.Routes, r.Route)
	}
}

func (r *routeEntry) settleKind(at value) bool {
	switch {
	case r.kindKey.given():
	case r.implicit:
		at.needs("provider", "the kind of upstream that serves the model, unless each route has a kind")
		return false
	default:
		at.needs("kind", "the kind of upstream, unless the model has a provider")
		return false
	}
	p, slug, ok := r.kindKey.kind()
	r.source, r.Kind, r.Slug = p, p.Kind, slug
	return ok
}

// settlePolicy says what happens to prompts. What is spoken to without TLS is
// on our own network.
func (r *routeEntry) settlePolicy() {
	r.ZDR = r.source.BuiltIn || strings.HasPrefix(r.BaseURL, "http://")
	r.Responses = r.source.HasResponses(r.BaseURL)
	if r.responses.given() {
		r.responses.flag(&r.Responses)
	}
	if r.zdr.given() {
		r.zdr.flag(&r.ZDR)
	}
	r.NoCollection = r.ZDR
	if !r.dataCollection.given() {
		return
	}
	word := ""
	r.dataCollection.choice(&word, "allow", "deny")
	r.NoCollection = word == "deny"
	if word == "allow" && r.ZDR {
		if r.zdr.given() {
			r.dataCollection.problemf("allow and zdr: true are mutually exclusive")
		}
		r.ZDR = false
	}
}

// ownID returns the route's id key; not ok: it has a bad one.
func (r *routeEntry) ownID() (string, bool) {
	if !r.id.given() {
		return "", true
	}
	var id string
	ok := r.id.name(&id, routeID, "an id of letters, digits and . _ - (the model's id is put in front)")
	return id, ok
}

// takeEndpoint refuses a second endpoint of the same name, also if one of them
// is absent at the moment.
func (m *modelEntry) takeEndpoint(r *routeEntry) {
	if first, twice := m.endpoints[r.ID]; twice {
		m.at.run.report(r.At.Problem("duplicate endpoint id %s, already used by %s on line %d: set an explicit id", r.ID, first.Key, first.Line))
		return
	}
	m.endpoints[r.ID] = r.At
}

func (m *modelEntry) warnUnserved() {
	for _, r := range m.Routes {
		if r.Weight > 0 {
			return
		}
	}
	if len(m.Routes) > 0 {
		m.at.warnf("all weights are 0: model %s cannot be served", m.ID)
	}
}
