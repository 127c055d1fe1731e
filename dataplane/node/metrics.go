package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/exposition"
)

// gauges are the metrics that are read from the node when it is scraped.
type gauges struct {
	node  *Node
	plain []gauge
	conns *prometheus.Desc
}

// gauge is one without labels.
type gauge struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func() float64
}

func newGauges(n *Node) *gauges {
	label := metrics.NodeLabel(n.o.Node)
	g := &gauges{
		node:  n,
		conns: prometheus.NewDesc("gateway_upstream_connections", "Open connections to upstreams, idle ones included.", []string{"scheme"}, label),
	}
	add := func(name, help string, kind prometheus.ValueType, read func() float64) {
		g.plain = append(g.plain, gauge{prometheus.NewDesc(name, help, nil, label), kind, read})
	}
	add("gateway_requests_in_flight", "Requests being answered.", prometheus.GaugeValue, func() float64 { return float64(n.gateway.InFlight()) })
	add("gateway_streams_open", "Streams being written to clients.", prometheus.GaugeValue, func() float64 { return float64(n.gateway.Streams()) })
	add("gateway_client_connections", "Open connections of clients.", prometheus.GaugeValue, func() float64 { return float64(n.gateway.Connections()) })
	add("gateway_body_bytes", "Bytes of request bodies in memory.", prometheus.GaugeValue, func() float64 { return float64(n.gateway.Held()) })
	add("gateway_shadows_in_flight", "Copies of requests under way to shadow endpoints.", prometheus.GaugeValue, func() float64 { return float64(n.gateway.Shadows()) })
	add("gateway_shed_total", "Requests refused because the node was at capacity.", prometheus.CounterValue, func() float64 { return float64(n.gateway.Shed()) })
	add("gateway_panics_total", "Panics in requests, each answered with status 500.", prometheus.CounterValue, func() float64 { return float64(n.gateway.Panics()) })
	add("gateway_draining", "1 while the node is shutting down.", prometheus.GaugeValue, func() float64 { return truth(n.gateway.Draining()) })

	add("gateway_release_number", "The number of the release in service, 0 for none.", prometheus.GaugeValue, func() float64 { return float64(n.current.Load().Release) })
	add("gateway_release_models", "Models of the release in service.", prometheus.GaugeValue, func() float64 { return float64(len(n.current.Load().Models)) })
	add("gateway_release_applied_timestamp_seconds", "When the release in service was applied, in seconds since 1970.", prometheus.GaugeValue, func() float64 { return seconds(n.watcher.Applied()) })
	add("gateway_releases_rejected_total", "Releases and key tables that this node has refused.", prometheus.CounterValue, func() float64 { return float64(n.watcher.Rejected()) })
	add("gateway_endpoints_missing_secret", "Endpoints out of service for want of a secret.", prometheus.GaugeValue, func() float64 { return float64(len(n.current.Load().Missing)) })

	add("gateway_nats_connected", "Whether this process is connected to NATS.", prometheus.GaugeValue, func() float64 { return truth(n.conn.IsConnected()) })
	add("gateway_nats_reconnects_total", "Connections to NATS after the first.", prometheus.CounterValue, func() float64 { return float64(n.conn.Stats().Reconnects) })
	add("gateway_control_plane_beat_age_seconds", "Age of the control plane's last beat, -1 if none came yet.", prometheus.GaugeValue, func() float64 {
		control, _ := n.watcher.Control()
		return max(-1, float64(control.BeatAgeMS)/1e3)
	})

	add("gateway_usage_events_issued_total", "Usage events issued.", prometheus.CounterValue, func() float64 { return float64(n.meter.Counts().Issued) })
	add("gateway_usage_events_stored_total", "Usage events known to be in the primary store.", prometheus.CounterValue, func() float64 { return float64(n.meter.Counts().Stored) })
	add("gateway_usage_events_dead_lettered_total", "Usage events that the store has refused.", prometheus.CounterValue, func() float64 { return float64(n.meter.Counts().DeadLettered) })
	add("gateway_usage_events_lost_total", "Usage events that are lost.", prometheus.CounterValue, func() float64 { return float64(n.meter.Counts().Lost) })
	add("gateway_usage_events_pending", "Usage events that NATS does not have yet.", prometheus.GaugeValue, func() float64 { return float64(n.meter.Counts().Pending) })
	add("gateway_usage_last_commit_timestamp_seconds", "When the collector last confirmed events of this node, in seconds since 1970; 0 for never.", prometheus.GaugeValue,
		func() float64 { return seconds(n.committed.Load()) })
	add("gateway_usage_oldest_waiting_seconds", "For how long the oldest usage event that is not known to be stored has been waiting at least, as seen by scrapes; 0 for none.", prometheus.GaugeValue,
		func() float64 { return n.meter.Waiting(time.Now()).Seconds() })
	add("gateway_spool_bytes", "Bytes of files with events that are not known to be stored.", prometheus.GaugeValue, func() float64 { return float64(n.meter.Counts().Spooled) })
	add("gateway_spool_limit_bytes", "SPOOL_LIMIT_BYTES.", prometheus.GaugeValue, func() float64 { return float64(n.o.SpoolLimit) })
	return g
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds turns milliseconds since 1970 into Prometheus' unit.
func seconds(ms int64) float64 { return float64(ms) / 1e3 }

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for i := range g.plain {
		ch <- g.plain[i].desc
	}
	ch <- g.conns
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	for i := range g.plain {
		p := &g.plain[i]
		ch <- prometheus.MustNewConstMetric(p.desc, p.kind, p.read())
	}
	plain, secure := g.node.senders.Connections()
	ch <- prometheus.MustNewConstMetric(g.conns, prometheus.GaugeValue, float64(plain), "http")
	ch <- prometheus.MustNewConstMetric(g.conns, prometheus.GaugeValue, float64(secure), "https")
}

// write writes the series of endpoints.
func (g *gauges) write(w *exposition.Writer) {
	now, models := time.Now(), g.node.current.Load().Models
	w.Family(exposition.Gauge, "gateway_endpoint_up", "Whether the endpoint is in service on this node: 0 while its breaker is open, a cool-down runs or its health check fails.")
	eachEndpoint(models, func(e *snapshot.Endpoint) { w.Sample(e.Metrics.Labels(), nil, truth(e.State.Available(now))) })
	w.Family(exposition.Gauge, "gateway_endpoint_state", "The state of an endpoint that is not in order; always 1.")
	eachEndpoint(models, func(e *snapshot.Endpoint) {
		if word, _ := e.State.Condition(now); word != "closed" {
			state := exposition.NewLabels("state", word)
			w.Sample(e.Metrics.Labels(), &state, 1)
		}
	})
	w.Family(exposition.Gauge, "gateway_endpoint_in_flight", "Attempts in progress at the endpoints of a model.")
	for _, m := range models {
		busy := int64(0)
		for _, list := range [...][]*snapshot.Endpoint{m.Endpoints, m.Parked} {
			for _, e := range list {
				busy += e.State.InFlight.Load()
			}
		}
		w.Sample(m.Metrics.Labels(), nil, float64(busy))
	}
}

// eachEndpoint calls do for all endpoints, those without weight included.
func eachEndpoint(models []*snapshot.Model, do func(*snapshot.Endpoint)) {
	for _, m := range models {
		for _, list := range [...][]*snapshot.Endpoint{m.Endpoints, m.Parked} {
			for _, e := range list {
				do(e)
			}
		}
	}
}
