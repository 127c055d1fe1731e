package sinks

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hybridinference/gateway/controlplane/collector"
)

// figure is a metric of a collector, with the label store.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(s *collector.Status) float64
}

// Metrics collects what the collectors count, for Prometheus.
func (s *Sinks) Metrics() prometheus.Collector {
	m := &metrics{sinks: s}
	add := func(name, help string, kind prometheus.ValueType, read func(s *collector.Status) float64) {
		m.figures = append(m.figures, figure{prometheus.NewDesc(name, help, []string{"store"}, nil), kind, read})
	}
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	add("gateway_collector_frames_total", "Frames of usage events fetched.", counter, func(s *collector.Status) float64 { return float64(s.Frames) })
	add("gateway_collector_events_total", "Usage events fetched; one that is delivered again counts again.", counter, func(s *collector.Status) float64 { return float64(s.Events) })
	add("gateway_collector_rows_total", "Rows inserted.", counter, func(s *collector.Status) float64 { return float64(s.Inserted) })
	add("gateway_collector_duplicates_total", "Usage events that the store had already.", counter, func(s *collector.Status) float64 { return float64(s.Duplicates) })
	add("gateway_collector_dead_letters_total", "Usage events that the store has refused.", counter, func(s *collector.Status) float64 { return float64(s.DeadLettered) })
	add("gateway_collector_batches_total", "Batches committed.", counter, func(s *collector.Status) float64 { return float64(s.Batches) })
	add("gateway_collector_retries_total", "Batches tried again.", counter, func(s *collector.Status) float64 { return float64(s.Retries) })
	add("gateway_collector_events_in_progress", "Usage events fetched and not finished.", gauge, func(s *collector.Status) float64 { return float64(s.InHand) })
	add("gateway_collector_frames_waiting", "Frames in NATS that were not fetched when it was last asked.", gauge, func(s *collector.Status) float64 { return float64(s.Waiting) })
	add("gateway_collector_lag_seconds", "Age of the oldest frame in progress, else of the last one when it was committed.", gauge, func(s *collector.Status) float64 { return float64(s.LagMS) / 1e3 })
	add("gateway_collector_last_commit_timestamp_seconds", "When a batch was last committed, in seconds since 1970; 0 for never.", gauge, func(s *collector.Status) float64 {
		if s.LastCommit.IsZero() {
			return 0
		}
		return float64(s.LastCommit.UnixMilli()) / 1e3
	})
	add("gateway_collector_failing", "1 while the store cannot be written to.", gauge, func(s *collector.Status) float64 {
		if s.Error != "" {
			return 1
		}
		return 0
	})
	return m
}

type metrics struct {
	sinks   *Sinks
	figures []figure
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for i := range m.figures {
		ch <- m.figures[i].desc
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, status := range m.sinks.Status() {
		for i := range m.figures {
			f := &m.figures[i]
			ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.read(&status), status.Sink)
		}
	}
}
