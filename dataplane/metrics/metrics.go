// Package metrics is what a node counts for Prometheus. Labels come from the
// release and from closed sets, never from what a client sends: names that
// clients invent make no series. The request path adds to atomics that it finds
// by pointer; a series is shown once it has counted something.
package metrics

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// The labels.
const (
	labelModel    = "model"
	labelEndpoint = "endpoint"
	labelProvider = "provider"
	labelSurface  = "surface"
	labelNode     = "node"
	labelStatus   = "status"
	labelTeam     = "team"
)

// Requests are the series of a node's requests. Those of models, endpoints and
// teams, of which there may be thousands, write themselves.
type Requests struct {
	node     string
	refusals *prometheus.CounterVec
	limits   *prometheus.CounterVec

	teams   *teams // nil if they are not counted
	unknown *Model // of requests that no model of the release was found for

	mu        sync.Mutex
	surfaces  []string
	models    map[string]*Model
	endpoints map[endpointLabels]*Endpoint
	// sorted are the models and endpoints in the order of their labels, nil if
	// they have to be sorted again.
	sorted *sorted
}

type endpointLabels struct{ model, endpoint, provider string }

// NodeLabel returns the label that all of a node's metrics have, if it has a name. Wrapping the
// registry would do it too, at a third more of a scrape's time.
func NodeLabel(node string) prometheus.Labels {
	if node == "" {
		return nil
	}
	return prometheus.Labels{labelNode: node}
}

// NewRequests returns the series of that node, registered with r.
func NewRequests(r *exposition.Registry, node string) *Requests {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: NodeLabel(node)}, labels)
		r.MustRegister(v)
		return v
	}
	q := &Requests{
		node:     node,
		refusals: counter("gateway_refusals_total", "Requests refused by the gateway itself, by error type.", "reason"),
		limits:   counter("gateway_limit_refusals_total", "Requests refused by a limit, by its name and whose it is.", "limit", "holder"),
		models:   map[string]*Model{}, endpoints: map[endpointLabels]*Endpoint{},
	}
	q.unknown = q.newModel("")
	r.Add(q.write)
	return q
}

// labels returns those of a series of the node.
func labels(node string, namesAndValues ...string) exposition.Labels {
	if node != "" {
		namesAndValues = append(namesAndValues, labelNode, node)
	}
	return exposition.NewLabels(namesAndValues...)
}

// newModel returns the series of a model, the first of which have no sample yet.
func (q *Requests) newModel(id string) *Model {
	return &Model{
		labels: labels(q.node, labelModel, id), id: id,
		duration: newHistogram(&durationBounds), firstToken: newHistogram(&firstTokenBounds), gaps: newHistogram(&gapBounds), queued: newHistogram(&queuedBounds),
	}
}

// Model returns the series of a model, the same for the same id.
func (q *Requests) Model(id string) *Model {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.models[id]
	if m == nil {
		m = q.newModel(id)
		q.models[id], q.sorted = m, nil
	}
	return m
}

// Endpoint returns the series of an endpoint, the same for the same labels.
func (q *Requests) Endpoint(model, endpoint, provider string) *Endpoint {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := endpointLabels{model, endpoint, provider}
	e := q.endpoints[key]
	if e == nil {
		e = &Endpoint{labels: labels(q.node, labelModel, model, labelEndpoint, endpoint, labelProvider, provider), key: key}
		q.endpoints[key], q.sorted = e, nil
	}
	return e
}

// Keep drops the series of all models and endpoints but these. Requests that
// are running may still add to a series that is not shown any more.
func (q *Requests) Keep(models map[*Model]bool, endpoints map[*Endpoint]bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.models, func(_ string, m *Model) bool { return !models[m] })
	maps.DeleteFunc(q.endpoints, func(_ endpointLabels, e *Endpoint) bool { return !endpoints[e] })
	q.sorted = nil
}

// Refused counts a request that the gateway refused; limit and holder name the
// limit if it was one.
func (q *Requests) Refused(reason, limit, holder string) {
	q.refusals.WithLabelValues(reason).Inc()
	if limit != "" {
		q.limits.WithLabelValues(limit, holder).Inc()
	}
}

// Unknown are the series of requests for which no model was found.
func (q *Requests) Unknown() *Model { return q.unknown }

// classes of a status, by its first digit.
var classes = [...]string{"other", "1xx", "2xx", "3xx", "4xx", "5xx"} //nolint:gochecknoglobals // a constant table

// classOf is the index of a status in classes.
func classOf(status int) int {
	if class := status / 100; class > 0 && class < len(classes) {
		return class
	}
	return 0
}

// Model is what is counted of a model.
type Model struct {
	labels exposition.Labels
	id     string

	requests  [maxSurfaces][len(classes)]counter
	tokens    [tokenKinds]counter
	cost      sum
	retries   counter
	failovers counter
	aborts    counter

	hedges, hedgesWon counter
	hedgedCost        sum

	duration, firstToken, gaps, queued histogram

	waiting atomic.Pointer[func() int64] // in the queue; nil for a model without one
}

// Labels are those of all series of the model.
func (m *Model) Labels() *exposition.Labels { return &m.labels }

// The kinds of tokens.
const (
	cacheWriteTokens = iota
	cachedTokens
	completionTokens
	promptTokens
	reasoningTokens
	tokenKinds
)

// kindNames are their names, in order.
//
//nolint:gochecknoglobals // a constant table
var kindNames = [tokenKinds]string{"cache_write", "cached", "completion", "prompt", "reasoning"}

// tokensOf returns the tokens of a request by kind.
func tokensOf(u *wire.Usage) [tokenKinds]int64 {
	return [tokenKinds]int64{
		cacheWriteTokens: u.CacheWriteTokens, cachedTokens: u.CacheReadTokens, completionTokens: u.CompletionTokens, promptTokens: u.PromptTokens, reasoningTokens: u.ReasoningTokens,
	}
}

// maxSurfaces is how many client languages there may be.
const maxSurfaces = 16

// Surface is a client language.
type Surface struct {
	name  string
	index int
}

// Surface returns the client language of that name.
func (q *Requests) Surface(name string) Surface {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.surfaces, name)
	if i < 0 {
		i = len(q.surfaces)
		q.surfaces = append(q.surfaces, name)
	}
	if i >= maxSurfaces {
		panic("metrics: more than 16 client languages")
	}
	return Surface{name, i}
}

// Answered counts a request with the status that its client got.
func (m *Model) Answered(s Surface, status int) { m.requests[s.index][classOf(status)].Add(1) }

// Aborted counts a request whose client left before the answer was complete.
func (m *Model) Aborted() { m.aborts.Add(1) }

// Used counts what a request came to. cost is in pico-dollars.
func (m *Model) Used(u *wire.Usage, cost int64) {
	m.duration.observe(&durationBounds, time.Duration(u.LatencyMS)*time.Millisecond)
	if u.Stream && u.FirstTokenMS >= 0 {
		m.firstToken.observe(&firstTokenBounds, time.Duration(u.FirstTokenMS)*time.Millisecond)
	}
	for kind, n := range tokensOf(u) {
		if n > 0 {
			m.tokens[kind].Add(uint64(n))
		}
	}
	if cost > 0 {
		m.cost.add(float64(cost) / 1e12)
	}
	m.retried(u.Attempts)
}

// retried counts the attempts after the first, but for those beside another one.
func (m *Model) retried(attempts []wire.Attempt) {
	before := ""
	for i := range attempts {
		a := &attempts[i]
		if a.Kind == wire.AttemptHedged {
			continue
		}
		if before != "" {
			m.retries.Add(1)
			if a.Endpoint != before {
				m.failovers.Add(1)
			}
		}
		before = a.Endpoint
	}
}

// Endpoint is what is counted of an endpoint.
type Endpoint struct {
	labels exposition.Labels
	key    endpointLabels
	ok     counter
	faults [fault.Canceled + 1]counter
	shadowCounts
}

// Labels are those of all series of the endpoint.
func (e *Endpoint) Labels() *exposition.Labels { return &e.labels }

// Attempted counts an attempt; kind is the fault's, "" for none.
func (e *Endpoint) Attempted(kind string) {
	if kind == "" {
		e.ok.Add(1)
		return
	}
	for k := range e.faults {
		if fault.Kind(k).String() == kind { //nolint:gosec // a handful of kinds
			e.faults[k].Add(1)
			return
		}
	}
}
