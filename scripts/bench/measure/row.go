// Package measure puts a fleet under load and notes what each target costs. The
// targets take turns within each round, so that whatever else the machine does
// hits all alike; the median over the rounds counts.
package measure

import "slices"

// Row is one figure of all targets.
type Row struct {
	Measure string `json:"measure"` // one of Names
	Title   string `json:"title"`
	Unit    string `json:"unit"`
	// Mark is how many times the proxy's figure the node's may be; 0 is no mark.
	Mark float64 `json:"mark,omitempty"`
	// Rate is the requests per second of an open loop.
	Rate float64 `json:"rate,omitempty"`
	// Values has one value for each round, by target.
	Values map[string][]float64 `json:"values"`
}

// Median is the figure of a target, or false if there is none.
func (r *Row) Median(target string) (float64, bool) { return median(r.Values[target]) }

// Ratio is how many times the figure of another target one target's is: the
// median of what it was in each round, in which both had the same conditions.
// It is false if one is missing.
func (r *Row) Ratio(target, other string) (float64, bool) {
	a, b := r.Values[target], r.Values[other]
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	return median(ratios)
}

func median(values []float64) (float64, bool) {
	v := slices.Sorted(slices.Values(values))
	if len(v) == 0 {
		return 0, false
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, true
}

// table collects rows in the order in which they first appear.
type table struct{ rows []*Row }

func (t *table) add(head Row, target string, value float64) {
	i := slices.IndexFunc(t.rows, func(r *Row) bool { return r.Title == head.Title })
	if i < 0 {
		i = len(t.rows)
		head.Values = make(map[string][]float64)
		t.rows = append(t.rows, &head)
	}
	t.rows[i].Values[target] = append(t.rows[i].Values[target], value)
}
