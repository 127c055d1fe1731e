// Package guard decides whether a rollout goes on: it compares what the new
// endpoint of a model has done with what the others did over the same minutes.
// It only computes; package rollout measures and acts.
package guard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Default is the guard of a rollout that names none.
const Default = "errors<2%"

// Guard is a condition that the new endpoint has to meet.
type Guard struct {
	// Metric is errors, cost, or ttft_p50 to ttft_p99.
	Metric string
	// Quantile is that of a ttft metric, else 0.
	Quantile float64
	// Limit is what the measured value must be below: a share for errors, seconds
	// for ttft, USD a request for cost; or that many times what the others have.
	Limit    float64
	Relative bool
	// text is how the operator wrote it.
	text string
}

// String returns the guard as it was written, without spaces.
func (g Guard) String() string { return g.text }

const (
	metricErrors = "errors"
	metricCost   = "cost"
)

// allowed describes guards for error messages.
const allowed = "allowed are errors<2% or errors<2x, ttft_p50, ttft_p90, ttft_p95 or ttft_p99 such as ttft_p95<2s or ttft_p95<1.5x, and cost<1.2x or cost<$0.01 (a request), separated by commas"

func quantiles() map[string]float64 {
	return map[string]float64{"ttft_p50": 0.5, "ttft_p90": 0.9, "ttft_p95": 0.95, "ttft_p99": 0.99}
}

// Parse reads guards such as errors<2%,ttft_p95<2s,cost<1.2x.
func Parse(text string) ([]Guard, error) {
	var list []Guard
	for part := range strings.SplitSeq(text, ",") {
		part = strings.ReplaceAll(strings.TrimSpace(part), " ", "")
		g, err := parse(part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(h Guard) bool { return h.Metric == g.Metric && h.Relative == g.Relative }) {
			return nil, fmt.Errorf("duplicate guard on %s: %q", g.Metric, part)
		}
		list = append(list, g)
	}
	return list, nil
}

func parse(text string) (Guard, error) {
	metric, limit, ok := strings.Cut(text, "<")
	if !ok || metric == "" {
		return Guard{}, fmt.Errorf("%q is not METRIC<LIMIT; %s", text, allowed)
	}
	g := Guard{Metric: metric, Quantile: quantiles()[metric], text: text}
	if metric != metricErrors && metric != metricCost && g.Quantile == 0 {
		return Guard{}, fmt.Errorf("unknown metric %q in %q; %s", metric, text, allowed)
	}
	unit := "x"
	number, relative := strings.CutSuffix(limit, "x")
	g.Relative = relative
	switch {
	case relative:
		g.Limit = positive(number)
	case metric == metricErrors:
		unit = "%"
		if number, ok = strings.CutSuffix(limit, "%"); ok {
			g.Limit = positive(number) / 100
		}
		if g.Limit > 1 {
			g.Limit = 0
		}
	case metric == metricCost:
		unit = "USD"
		g.Limit = positive(strings.TrimPrefix(limit, "$"))
	default:
		unit = "s"
		if d, err := time.ParseDuration(limit); err == nil && d <= longestTTFT {
			g.Limit = d.Seconds()
		}
	}
	if g.Limit <= 0 {
		return Guard{}, fmt.Errorf("the limit of %q must be %s", text, limits(unit))
	}
	return g, nil
}

// longestTTFT is the last bound of the histogram.
const longestTTFT = time.Duration(60_000) * time.Millisecond

func limits(unit string) string {
	switch unit {
	case "x":
		return "a positive multiple of what the other endpoints have, such as 1.2x"
	case "%":
		return "a percentage above 0% and up to 100%, such as 2%, or a multiple of what the other endpoints have, such as 2x"
	case "USD":
		return "a multiple of what the other endpoints cost, such as 1.2x, or USD a request, such as $0.01"
	}
	return "a duration up to 60s, such as 2s or 800ms, or a multiple of what the other endpoints take, such as 1.5x"
}

// positive returns 0 for what is no positive decimal number.
func positive(text string) float64 {
	if strings.Trim(text, "0123456789.") != "" {
		return 0
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v > 1e9 {
		return 0
	}
	return v
}

// MaxSteps is how many steps a rollout may have.
const MaxSteps = 50

// ParseSteps reads steps such as 1%,5%,25%,50%,100%.
func ParseSteps(text string) ([]float64, error) {
	var steps []float64
	for part := range strings.SplitSeq(text, ",") {
		number, ok := strings.CutSuffix(strings.TrimSpace(part), "%")
		v := positive(number)
		if !ok || v <= 0 {
			return nil, fmt.Errorf("%q is not a percentage above 0%% and up to 100%%, such as 5%%", strings.TrimSpace(part))
		}
		steps = append(steps, v)
	}
	return steps, CheckSteps(steps)
}

// CheckSteps reports what is wrong with steps, in percent.
func CheckSteps(steps []float64) error {
	if len(steps) == 0 || len(steps) > MaxSteps {
		return fmt.Errorf("there must be 1 to %d steps, got %d", MaxSteps, len(steps))
	}
	before := 0.0
	for _, v := range steps {
		if !(v > 0 && v <= 100) {
			return fmt.Errorf("each step must be above 0%% and up to 100%%, got %s", Percent(v))
		}
		if v <= before {
			return fmt.Errorf("steps must rise: %s does not come after %s", Percent(v), Percent(before))
		}
		before = v
	}
	return nil
}

// Percent writes a percentage.
func Percent(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) + "%" }

// The bounds of the time that a step takes.
const (
	LeastEvery = time.Second
	MostEvery  = 7 * 24 * time.Hour
)

// ParseEvery reads the time that a step takes at least.
func ParseEvery(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < LeastEvery || d > MostEvery {
		return 0, fmt.Errorf("%q is not a duration from 1s to 168h, such as 2m", text)
	}
	return d, nil
}

// Counts are what endpoints have done within some time; see wire.EndpointCounts.
type Counts struct {
	Requests    uint64                         `json:"requests"`
	Errors      uint64                         `json:"errors"`
	Rejected    uint64                         `json:"rejected"`
	Streams     uint64                         `json:"streams"`
	Begun       uint64                         `json:"begun"`
	FirstToken  [wire.FirstTokenBuckets]uint64 `json:"first_token"`
	Priced      uint64                         `json:"priced"`
	Cost        float64                        `json:"cost_usd"`
	CostSquares float64                        `json:"cost_usd_squares"`
}

// Add adds o.
func (c *Counts) Add(o *Counts) {
	c.Requests += o.Requests
	c.Errors += o.Errors
	c.Rejected += o.Rejected
	c.Streams += o.Streams
	c.Begun += o.Begun
	c.Priced += o.Priced
	c.Cost += o.Cost
	c.CostSquares += o.CostSquares
	for i, n := range o.FirstToken {
		c.FirstToken[i] += n
	}
}

// Since returns what has happened between two reports of one node on one
// endpoint. If the node has begun to count anew, that is all that it has counted.
func Since(before, now *wire.EndpointCounts) Counts {
	first := totals(before)
	last := totals(now)
	if before.Since != now.Since || first.Requests > last.Requests || first.Streams > last.Streams || first.Priced > last.Priced {
		return last
	}
	d := Counts{
		Requests: last.Requests - first.Requests, Errors: less(last.Errors, first.Errors), Rejected: less(last.Rejected, first.Rejected),
		Streams: last.Streams - first.Streams, Begun: less(last.Begun, first.Begun), Priced: last.Priced - first.Priced,
		Cost: max(0, last.Cost-first.Cost), CostSquares: max(0, last.CostSquares-first.CostSquares),
	}
	for i := range d.FirstToken {
		d.FirstToken[i] = less(last.FirstToken[i], first.FirstToken[i])
	}
	return d
}

// less is a - b, 0 for a negative difference: a node's totals only grow, and
// what says otherwise must not become a huge number.
func less(a, b uint64) uint64 { return a - min(a, b) }

func totals(w *wire.EndpointCounts) Counts {
	c := Counts{Requests: w.Requests, Errors: w.Errors, Rejected: w.Rejected, Streams: w.Streams, Begun: w.Begun, Priced: w.Priced, Cost: w.CostUSD, CostSquares: w.CostSquares}
	copy(c.FirstToken[:], w.FirstToken)
	return c
}
