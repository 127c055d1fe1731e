package metrics

import "github.com/hybridinference/gateway/shared/exposition"

// Drop is why a copy of a request was not sent.
type Drop uint8

// The reasons, in the order of their names.
const (
	DropDraining Drop = iota // the node is shutting down
	DropEndpoint             // it is full, out of service or at its provider's limit
	DropInFlight             // the node has as many as it may have
	DropLoad                 // the node is busy with clients' requests
	DropMemory               // their bodies have as much memory as they may have
	drops
)

//nolint:gochecknoglobals // constant tables
var (
	dropTable   = exposition.LabelTable("reason", "draining", "endpoint", "in_flight", "load", "memory")
	shadowTable = exposition.LabelTable("result", "failed", "ok")
)

// shadowCounts are the copies of requests that an endpoint has got, or not.
type shadowCounts struct {
	shadows [2]counter // failed, ok
	dropped [drops]counter
}

// Shadowed counts a copy of a request that was sent to the endpoint.
func (c *shadowCounts) Shadowed(ok bool) {
	if ok {
		c.shadows[1].Add(1)
	} else {
		c.shadows[0].Add(1)
	}
}

// ShadowDropped counts one that was not.
func (c *shadowCounts) ShadowDropped(why Drop) { c.dropped[why].Add(1) }

func writeShadows(w *exposition.Writer, endpoints []*Endpoint) {
	w.Family(exposition.Counter, "gateway_shadow_requests_total", "Copies of requests sent to shadow endpoints by result: ok or failed.")
	for _, e := range endpoints {
		for i := range e.shadows {
			e.shadows[i].write(w, &e.labels, &shadowTable[i])
		}
	}
	w.Family(exposition.Counter, "gateway_shadow_dropped_total", "Copies of requests that were not sent, by reason: in_flight, memory, load, draining or endpoint, which has no room to spare.")
	for _, e := range endpoints {
		for i := range e.dropped {
			e.dropped[i].write(w, &e.labels, &dropTable[i])
		}
	}
}
