package gateway

import (
	"encoding/json"
	"time"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

// measured is what this node has measured of an endpoint, in OpenRouter's
// words: percent, milliseconds, tokens a second; null where nothing was.
type measured struct {
	Uptime5m   *float64              `json:"uptime_last_5m"`
	Uptime30m  *float64              `json:"uptime_last_30m"`
	Uptime1d   *float64              `json:"uptime_last_1d"`
	Latency    *upstream.Percentiles `json:"latency_last_30m"`
	Throughput *upstream.Percentiles `json:"throughput_last_30m"`
	Status     int                   `json:"status"`
}

func measure(e *snapshot.Endpoint, now time.Time) measured {
	s := &e.State.Stats
	return measured{
		Uptime5m: known(s.Uptime(now, upstream.FiveMinutes)), Uptime30m: known(s.Uptime(now, upstream.HalfHour)), Uptime1d: known(s.Uptime(now, upstream.Day)),
		Latency: known(s.Latency(now, upstream.HalfHour)), Throughput: known(s.Throughput(now, upstream.HalfHour)), Status: statusOf(e, now),
	}
}

func known[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// statusOf is OpenRouter's number for how an endpoint fares: 0 is well.
func statusOf(e *snapshot.Endpoint, now time.Time) int {
	switch word, _ := e.State.Condition(now); word {
	case "half_open":
		return -1
	case "cooling":
		return -2
	case "open":
		return -5
	}
	return 0
}

// appendEndpoint appends an endpoint's object.
func appendEndpoint(dst []byte, e *snapshot.Endpoint, now time.Time) ([]byte, error) {
	live, err := json.Marshal(measure(e, now))
	if err != nil {
		return dst, err
	}
	dst = append(append(dst, e.JSON...), ',')
	return append(dst, live[1:]...), nil
}

// listEndpoints answers GET models/{author}/{slug}/endpoints.
func (g *Gateway) listEndpoints(x *exchange, name string) {
	m := x.model(name)
	if m == nil {
		g.refuse(x.ctx, noModel(name))
		return
	}
	g.writeEndpoints(x, append([]byte(nil), m.Page...), m.Endpoints, "]}}")
}

// listDiscreet answers GET endpoints/zdr: the endpoints that keep no prompts.
func (g *Gateway) listDiscreet(x *exchange) {
	var list []*snapshot.Endpoint
	for _, m := range x.snap.Visible(x.key, func(*snapshot.Model) bool { return true }) {
		for _, e := range m.Endpoints {
			if e.ZDR {
				list = append(list, e)
			}
		}
	}
	g.writeEndpoints(x, []byte(`{"data":[`), list, "]}")
}

func (g *Gateway) writeEndpoints(x *exchange, out []byte, list []*snapshot.Endpoint, end string) {
	for i, e := range list {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendEndpoint(out, e, x.started); err != nil {
			g.refuse(x.ctx, problem.New(500, "server", "Internal server error"))
			return
		}
	}
	g.writeRaw(x.ctx, append(out, end...))
}
