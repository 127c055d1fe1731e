// Package metrics is what a node counts for Prometheus. Labels come from the
// release and from closed sets, never from what a client sends: names that
// clients invent make no series. The request path adds to series that it finds
// by pointer; a series is made when it is first needed.
package metrics

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// The labels.
const (
	labelModel    = "model"
	labelEndpoint = "endpoint"
	labelProvider = "provider"
	labelSurface  = "surface"
	labelStatus   = "status"
	labelTeam     = "team"
)

// nativeFactor is how much each bucket of a native histogram is wider than the
// one before: a quantile is right to about a tenth of itself.
const nativeFactor = 1.19

// Requests are the series of a node's requests.
type Requests struct {
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	firstToken *prometheus.HistogramVec
	tokens     *prometheus.CounterVec
	cost       *prometheus.CounterVec
	attempts   *prometheus.CounterVec
	retries    *prometheus.CounterVec
	failovers  *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	limits     *prometheus.CounterVec

	teams   *teams // nil if they are not counted
	unknown *Model // of requests that no model of the release was found for

	mu        sync.Mutex
	surfaces  []string
	models    map[string]*Model
	endpoints map[endpointLabels]*Endpoint
}

type endpointLabels struct{ model, endpoint, provider string }

// NodeLabel returns the label that all of a node's metrics have, if it has a name. Wrapping the
// registry would do it too, at a third more of a scrape's time.
func NodeLabel(node string) prometheus.Labels {
	if node == "" {
		return nil
	}
	return prometheus.Labels{"node": node}
}

// NewRequests returns the series of that node, registered with r.
func NewRequests(r prometheus.Registerer, node string) *Requests {
	common := NodeLabel(node)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: common}, labels)
		r.MustRegister(v)
		return v
	}
	histogram := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		v := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, ConstLabels: common, Buckets: buckets, NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: 160,
		}, []string{labelModel})
		r.MustRegister(v)
		return v
	}
	q := &Requests{
		requests: counter("gateway_requests_total", "Requests by model, client language and class of the status that the client got; no model if none was found.",
			labelModel, labelSurface, labelStatus),
		duration: histogram("gateway_request_duration_seconds", "Time from a request's head to the end of its answer, of requests that reached an upstream.",
			0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
		firstToken: histogram("gateway_time_to_first_token_seconds", "Time from a request's head to the first content of a streamed answer.",
			0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
		tokens:    counter("gateway_tokens_total", "Tokens by kind: cached and cache_write are part of prompt, reasoning of completion.", labelModel, "kind"),
		cost:      counter("gateway_cost_usd_total", "Cost of requests in US dollars, by the configured prices.", labelModel),
		attempts:  counter("gateway_upstream_attempts_total", "Attempts at upstreams by result: ok or the kind of fault.", labelModel, labelEndpoint, labelProvider, "result"),
		retries:   counter("gateway_retries_total", "Attempts after a request's first.", labelModel),
		failovers: counter("gateway_failovers_total", "Attempts at another endpoint than the one before.", labelModel),
		refusals:  counter("gateway_refusals_total", "Requests refused by the gateway itself, by error type.", "reason"),
		limits:    counter("gateway_limit_refusals_total", "Requests refused by a limit, by its name and whose it is.", "limit", "holder"),
		models:    map[string]*Model{}, endpoints: map[endpointLabels]*Endpoint{},
	}
	q.unknown = &Model{all: q}
	r.MustRegister(&chunkGaps{q, prometheus.NewDesc("gateway_inter_chunk_seconds", "Time between two chunks of a streamed answer that had content.", []string{labelModel}, common)})
	return q
}

// Model returns the series of a model, the same for the same id.
func (q *Requests) Model(id string) *Model {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := q.models[id]
	if m == nil {
		m = &Model{all: q, id: id}
		q.models[id] = m
	}
	return m
}

// Endpoint returns the series of an endpoint, the same for the same labels.
func (q *Requests) Endpoint(model, endpoint, provider string) *Endpoint {
	q.mu.Lock()
	defer q.mu.Unlock()
	labels := endpointLabels{model, endpoint, provider}
	e := q.endpoints[labels]
	if e == nil {
		e = &Endpoint{all: q, labels: labels}
		q.endpoints[labels] = e
	}
	return e
}

// Keep drops the series of all models and endpoints but these. Requests that
// are running may still add to what nobody sees any more.
func (q *Requests) Keep(models map[*Model]bool, endpoints map[*Endpoint]bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, m := range q.models {
		if !models[m] {
			delete(q.models, id)
			q.drop(prometheus.Labels{labelModel: id})
		}
	}
	for labels, e := range q.endpoints {
		if !endpoints[e] {
			delete(q.endpoints, labels)
			q.attempts.DeletePartialMatch(prometheus.Labels{labelModel: labels.model, labelEndpoint: labels.endpoint, labelProvider: labels.provider})
		}
	}
}

func (q *Requests) drop(l prometheus.Labels) {
	for _, v := range []*prometheus.CounterVec{q.requests, q.tokens, q.cost, q.attempts, q.retries, q.failovers} {
		v.DeletePartialMatch(l)
	}
	for _, v := range []*prometheus.HistogramVec{q.duration, q.firstToken} {
		v.DeletePartialMatch(l)
	}
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
	all *Requests
	id  string

	requests  [maxSurfaces][len(classes)]lazyCounter
	tokens    [tokenKinds]lazyCounter
	cost      lazyCounter
	retries   lazyCounter
	failovers lazyCounter

	duration, firstToken lazyHistogram
	gaps                 gapHistogram
}

type lazyCounter struct {
	p atomic.Pointer[prometheus.Counter]
}

func (l *lazyCounter) get(v *prometheus.CounterVec, labels ...string) prometheus.Counter {
	if c := l.p.Load(); c != nil {
		return *c
	}
	c := v.WithLabelValues(labels...)
	l.p.Store(&c)
	return c
}

type lazyHistogram struct {
	p atomic.Pointer[prometheus.Observer]
}

func (l *lazyHistogram) get(v *prometheus.HistogramVec, model string) prometheus.Observer {
	if o := l.p.Load(); o != nil {
		return *o
	}
	o := v.WithLabelValues(model)
	l.p.Store(&o)
	return o
}

// The kinds of tokens.
const (
	promptTokens = iota
	completionTokens
	reasoningTokens
	cachedTokens
	cacheWriteTokens
	tokenKinds
)

// kindNames are their names.
//
//nolint:gochecknoglobals // a constant table
var kindNames = [tokenKinds]string{"prompt", "completion", "reasoning", "cached", "cache_write"}

// tokensOf returns the tokens of a request by kind.
func tokensOf(u *wire.Usage) [tokenKinds]int64 {
	return [tokenKinds]int64{u.PromptTokens, u.CompletionTokens, u.ReasoningTokens, u.CacheReadTokens, u.CacheWriteTokens}
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
func (m *Model) Answered(s Surface, status int) {
	class := classOf(status)
	m.requests[s.index][class].get(m.all.requests, m.id, s.name, classes[class]).Inc()
}

// Used counts what a request came to. cost is in pico-dollars.
func (m *Model) Used(u *wire.Usage, cost int64) {
	m.duration.get(m.all.duration, m.id).Observe(float64(u.LatencyMS) / 1e3)
	if u.Stream && u.FirstTokenMS >= 0 {
		m.firstToken.get(m.all.firstToken, m.id).Observe(float64(u.FirstTokenMS) / 1e3)
	}
	for kind, n := range tokensOf(u) {
		if n > 0 {
			m.tokens[kind].get(m.all.tokens, m.id, kindNames[kind]).Add(float64(n))
		}
	}
	if cost > 0 {
		m.cost.get(m.all.cost, m.id).Add(float64(cost) / 1e12)
	}
	for i := range max(0, len(u.Attempts)-1) {
		m.retries.get(m.all.retries, m.id).Inc()
		if u.Attempts[i+1].Endpoint != u.Attempts[i].Endpoint {
			m.failovers.get(m.all.failovers, m.id).Inc()
		}
	}
}

// Gaps counts the gaps of a stream.
func (m *Model) Gaps(g *Gaps) {
	if g.sum == 0 {
		return
	}
	for i, n := range g.counts {
		if n > 0 {
			m.gaps.counts[i].Add(uint64(n))
		}
	}
	m.gaps.sum.Add(int64(g.sum))
}

// Endpoint is what is counted of an endpoint.
type Endpoint struct {
	all    *Requests
	labels endpointLabels
	ok     lazyCounter
	faults [fault.Canceled + 1]lazyCounter
}

// Attempted counts an attempt; kind is the fault's, "" for none.
func (e *Endpoint) Attempted(kind string) {
	l := &e.labels
	if kind == "" {
		e.ok.get(e.all.attempts, l.model, l.endpoint, l.provider, "ok").Inc()
		return
	}
	for k := range e.faults {
		if fault.Kind(k).String() == kind { //nolint:gosec // a handful of kinds
			e.faults[k].get(e.all.attempts, l.model, l.endpoint, l.provider, kind).Inc()
			return
		}
	}
}
