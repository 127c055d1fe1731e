package app

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hybridinference/gateway/controlplane/nodes"
)

// scrapeTime bounds what a scrape asks of the databases.
const scrapeTime = 2 * time.Second

// nearlyUsed is the percentage from which a limit counts as nearly used.
const nearlyUsed = 80

// gauges are the metrics that are read from the daemon when it is scraped.
type gauges struct {
	app *App

	nodes, nodeRelease, problem, release, published, models, nats, gaps, nearly, usedUp, rollout *prometheus.Desc
}

func newGauges(a *App) *gauges {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &gauges{
		app:         a,
		nodes:       desc("gateway_nodes", "Data-plane nodes by state: live, stale or gone.", "state"),
		nodeRelease: desc("gateway_node_release_number", "The release that a live node serves.", "node"),
		problem:     desc("gateway_problems", "Problems that /health reports, by code.", "code"),
		release:     desc("gateway_published_release_number", "The number of the current release, 0 for none."),
		published:   desc("gateway_published_release_timestamp_seconds", "When the current release was published, in seconds since 1970."),
		models:      desc("gateway_published_release_models", "Models of the current release."),
		nats:        desc("gateway_control_nats_connected", "Whether the daemon is connected to NATS."),
		gaps:        desc("gateway_ledger_missing_rows", "Usage events of the last day that have no row in the request log, when they were last counted."),
		nearly:      desc("gateway_limits_nearly_used", "Budgets and daily limits of which 80 % or more is used, by whose they are and kind.", "holder", "limit"),
		rollout:     desc("gateway_rollout_share_percent", "The share of its model's traffic that a rollout which has not ended gives an endpoint, by its state: running or paused.", "model", "endpoint", "state"),
		usedUp:      desc("gateway_limits_used_up", "Budgets and daily limits that are used up, by whose they are and kind.", "holder", "limit"),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{g.nodes, g.nodeRelease, g.problem, g.release, g.published, g.models, g.nats, g.gaps, g.nearly, g.usedUp, g.rollout} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	set := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	a := g.app
	states := map[nodes.State]int{nodes.Live: 0, nodes.Stale: 0, nodes.Gone: 0}
	for _, n := range a.nodes.List() {
		if states[n.State]++; n.State == nodes.Live {
			set(g.nodeRelease, float64(n.Release), n.Node)
		}
	}
	for state, n := range states {
		set(g.nodes, float64(n), string(state))
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime) //nolint:forbidigo // a collector gets no context
	defer cancel()
	problems := map[string]int{}
	for _, p := range a.api.Problems(ctx) {
		problems[p.Code]++
	}
	for code, n := range problems {
		set(g.problem, float64(n), code)
	}
	number, at, models := 0.0, 0.0, 0.0
	if r := a.publisher.Current(); r != nil {
		number, at, models = float64(r.Number), float64(r.Time), float64(len(r.Snapshot.Models))
	}
	set(g.release, number)
	set(g.published, at)
	set(g.models, models)
	connected := 0.0
	if a.conn.IsConnected() {
		connected = 1
	}
	set(g.nats, connected)
	set(g.gaps, float64(a.missing.Load()))
	for _, r := range a.publisher.Rollouts() {
		set(g.rollout, r.Steps[r.Step], r.Model, r.Endpoint, r.State)
	}
	g.limits(set)
}

// limits counts the limits that are nearly or completely used. They are known to the daemon
// that grants shares of them; the others have no such series.
func (g *gauges) limits(set func(d *prometheus.Desc, v float64, labels ...string)) {
	type series struct{ holder, limit string }
	nearly, usedUp := map[series]int{}, map[series]int{}
	for _, c := range g.app.limits.Crossed([]int{nearlyUsed, 100}) {
		of := series{c.Holder, c.Kind}
		nearly[of]++
		if c.Percent == 100 {
			usedUp[of]++
		}
	}
	for s, n := range nearly {
		set(g.nearly, float64(n), s.holder, s.limit)
	}
	for s, n := range usedUp {
		set(g.usedUp, float64(n), s.holder, s.limit)
	}
}

// instrument counts the admin API's requests and their times.
func instrument(r prometheus.Registerer, next http.Handler) http.Handler {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gateway_admin_requests_total", Help: "Requests to the admin API by method and status."}, []string{"method", "code"})
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gateway_admin_request_duration_seconds", Help: "Time of requests to the admin API.", Buckets: []float64{0.005, 0.025, 0.1, 0.5, 1, 5, 30},
	}, nil)
	r.MustRegister(requests, duration)
	return promhttp.InstrumentHandlerCounter(requests, promhttp.InstrumentHandlerDuration(duration, next))
}
