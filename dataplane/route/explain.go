package route

import (
	"fmt"
	"math"
	"strings"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

// Keeper names what keeps a request of the model to one endpoint: the affinities
// session or prefix, "" for nothing.
func (w *Constraints) Keeper(m *snapshot.Model) string {
	switch {
	case w.Affinity(m) == 0:
		return ""
	case w.Session != 0:
		return wire.AffinitySession
	}
	return wire.AffinityPrefix
}

// Measured says what the model's policy goes by at an endpoint, "" for the weight.
func (w *Constraints) Measured(m *snapshot.Model, e *snapshot.Endpoint) string {
	switch m.Policy {
	case snapshot.Priority:
		return fmt.Sprintf("priority %d", e.Priority) + w.serverLoad(e) + w.comingBack(e)
	case snapshot.LeastBusy:
		text := fmt.Sprintf("%d in flight", e.State.InFlight.Load())
		if e.MaxConcurrency > 0 {
			text = fmt.Sprintf("%d of %d in flight", e.State.InFlight.Load(), e.MaxConcurrency)
		}
		return text + w.serverLoad(e) + w.comingBack(e)
	case snapshot.Latency:
		what := "first token"
		if !w.Shape.Streamed {
			what = "response"
		}
		ms, ok := e.State.Latency(w.Shape.Streamed).Measured()
		if !ok {
			return what + " not measured yet" + w.comingBack(e)
		}
		return fmt.Sprintf("%s after %.0f ms", what, ms) + w.comingBack(e)
	case snapshot.Cost:
		if cost := w.cost(m, e); !math.IsInf(cost, 1) {
			return "$" + wire.FormatUSD(int64(cost)) + w.comingBack(e)
		}
		return "unknown price" + w.comingBack(e)
	case snapshot.Weighted:
	}
	return strings.TrimPrefix(w.comingBack(e), ", ")
}

func (w *Constraints) serverLoad(e *snapshot.Endpoint) string {
	l, ok := e.State.ServerLoad(w.Now)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", server: %.0f running, %.0f waiting, cache %.0f%%", l.Running, l.Waiting, 100*l.Cache)
}

// comingBack reports an endpoint that gets only a part of its share.
func (w *Constraints) comingBack(e *snapshot.Endpoint) string {
	share := e.State.Share(w.Now)
	if share >= 1 {
		return ""
	}
	return fmt.Sprintf(", recovering: %.0f%% of its share", 100*share)
}
