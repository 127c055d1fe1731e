package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/fault"
)

// The labels that series of one model, endpoint or team differ in.
//
//nolint:gochecknoglobals // constant tables
var (
	classTable = exposition.LabelTable(labelStatus, classes[:]...)
	kindTable  = exposition.LabelTable("kind", kindNames[:]...)
	okResult   = exposition.NewLabels("result", "ok")
	faultTable = faultLabels()
)

func faultLabels() []exposition.Labels {
	names := make([]string, 0, fault.Canceled+1)
	for k := range fault.Canceled + 1 {
		names = append(names, k.String())
	}
	return exposition.LabelTable("result", names...)
}

// sorted are all models and endpoints, in order.
type sorted struct {
	models    []*Model
	endpoints []*Endpoint
}

// inOrder returns all models and endpoints, and the labels of requests by client
// language and class of status.
func (q *Requests) inOrder() (*sorted, [][]exposition.Labels) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sorted == nil {
		q.sorted = &sorted{
			models: append([]*Model{q.unknown}, slices.SortedFunc(maps.Values(q.models), func(a, b *Model) int { return strings.Compare(a.id, b.id) })...),
			endpoints: slices.SortedFunc(maps.Values(q.endpoints), func(a, b *Endpoint) int {
				return cmp.Or(strings.Compare(a.key.model, b.key.model), strings.Compare(a.key.endpoint, b.key.endpoint), strings.Compare(a.key.provider, b.key.provider))
			}),
		}
	}
	surfaces := make([][]exposition.Labels, len(q.surfaces))
	for i, name := range q.surfaces {
		for _, class := range classes {
			surfaces[i] = append(surfaces[i], exposition.NewLabels(labelStatus, class, labelSurface, name))
		}
	}
	return q.sorted, surfaces
}

// write writes the series of all models and endpoints.
func (q *Requests) write(w *exposition.Writer) {
	all, surfaces := q.inOrder()
	w.Family(exposition.Counter, "gateway_requests_total", "Requests by model, client language and class of the status that the client got; no model if none was found.")
	for _, m := range all.models {
		for surface := range surfaces {
			for class := range classes {
				m.requests[surface][class].write(w, &m.labels, &surfaces[surface][class])
			}
		}
	}
	for _, h := range histograms {
		w.Family(exposition.Histogram, h.name, h.help)
		for _, m := range all.models {
			h.of(m).write(w, &m.labels, h.bounds)
		}
	}
	w.Family(exposition.Counter, "gateway_tokens_total", "Tokens by kind: cached and cache_write are part of prompt, reasoning of completion.")
	for _, m := range all.models {
		for kind := range m.tokens {
			m.tokens[kind].write(w, &m.labels, &kindTable[kind])
		}
	}
	w.Family(exposition.Counter, "gateway_cost_usd_total", "Cost of requests in US dollars, by the configured prices.")
	for _, m := range all.models {
		m.cost.write(w, &m.labels)
	}
	w.Family(exposition.Counter, "gateway_hedged_cost_usd_total", "Cost of attempts that were broken off because another endpoint was faster, as estimated.")
	for _, m := range all.models {
		m.hedgedCost.write(w, &m.labels)
	}
	for _, c := range counters {
		w.Family(exposition.Counter, c.name, c.help)
		for _, m := range all.models {
			c.of(m).write(w, &m.labels, nil)
		}
	}
	writeAttempts(w, all.endpoints)
	writeQueues(w, all.models)
	writeShadows(w, all.endpoints)
}

func writeAttempts(w *exposition.Writer, endpoints []*Endpoint) {
	w.Family(exposition.Counter, "gateway_upstream_attempts_total", "Attempts at upstreams by result: ok or the kind of fault.")
	for _, e := range endpoints {
		e.ok.write(w, &e.labels, &okResult)
		for k := range e.faults {
			e.faults[k].write(w, &e.labels, &faultTable[k])
		}
	}
}

//nolint:gochecknoglobals // constant tables
var (
	histograms = []struct {
		name, help string
		bounds     *exposition.Bounds
		of         func(*Model) *histogram
	}{
		{"gateway_request_duration_seconds", "Time from a request's head to the end of its answer, of requests that reached an upstream.", &durationBounds, func(m *Model) *histogram { return &m.duration }},
		{"gateway_time_to_first_token_seconds", "Time from a request's head to the first content of a streamed answer.", &firstTokenBounds, func(m *Model) *histogram { return &m.firstToken }},
		{"gateway_inter_chunk_seconds", "Time between two chunks of a streamed answer that had content.", &gapBounds, func(m *Model) *histogram { return &m.gaps }},
		{"gateway_queue_wait_seconds", "Time that a request has waited for a place at an endpoint, of requests that have waited.", &queuedBounds, func(m *Model) *histogram { return &m.queued }},
	}
	// counters are those with no label but the model.
	counters = []struct {
		name, help string
		of         func(*Model) *counter
	}{
		{"gateway_retries_total", "Attempts after a request's first.", func(m *Model) *counter { return &m.retries }},
		{"gateway_client_aborts_total", "Requests whose client left before the answer was complete.", func(m *Model) *counter { return &m.aborts }},
		{"gateway_hedges_total", "Requests for which a second endpoint was asked because the first was slow.", func(m *Model) *counter { return &m.hedges }},
		{"gateway_hedges_won_total", "Those of them that the second endpoint has answered.", func(m *Model) *counter { return &m.hedgesWon }},
		{"gateway_failovers_total", "Attempts at another endpoint than the one before.", func(m *Model) *counter { return &m.failovers }},
	}
)
