package route

import (
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Cutoffs are limits for the percentiles of what is measured; 0 is none.
type Cutoffs struct{ P50, P75, P90, P99 float64 }

// cutoffs reads a number, which means the median, or an object of percentiles.
func cutoffs(name string, val []byte) (Cutoffs, error) {
	var out Cutoffs
	if f, ok := rawjson.Float(val); ok {
		if f < 0 {
			return out, wrong(name, "a number of at least 0")
		}
		return Cutoffs{P50: f}, nil
	}
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Object() {
		return out, wrong(name, "a number or an object with p50, p75, p90 and p99")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		to := out.of(string(key))
		if to == nil {
			return out, fault.New(fault.InvalidRequest, "%s.%s: unknown field", name, clip(string(key)))
		}
		v := c.Raw()
		if rawjson.IsNull(v) {
			continue
		}
		f, ok := rawjson.Float(v)
		if !ok || f < 0 {
			return out, wrong(name+"."+string(key), "a number of at least 0")
		}
		*to = f
	}
	return out, nil
}

func (c *Cutoffs) of(key string) *float64 {
	switch key {
	case "p50":
		return &c.P50
	case "p75":
		return &c.P75
	case "p90":
		return &c.P90
	case "p99":
		return &c.P99
	}
	return nil
}

func (c Cutoffs) wanted() bool { return c != Cutoffs{} }

// exceeded reports whether a percentile is above its cutoff.
func (c Cutoffs) exceeded(p upstream.Percentiles) bool {
	above := func(limit, v float64) bool { return limit > 0 && v > limit }
	return above(c.P50, p.P50) || above(c.P75, p.P75) || above(c.P90, p.P90) || above(c.P99, p.P99)
}

// missed reports whether a percentile is below its cutoff.
func (c Cutoffs) missed(p upstream.Percentiles) bool {
	below := func(limit, v float64) bool { return limit > 0 && v < limit }
	return below(c.P50, p.P50) || below(c.P75, p.P75) || below(c.P90, p.P90) || below(c.P99, p.P99)
}
