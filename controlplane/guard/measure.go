package guard

import (
	"math"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// certainChance and likelyChance are how often an endpoint that meets a guard
	// would show what was seen.
	certainChance = 0.001
	likelyChance  = 0.05
	// certainSigmas and likelySigmas are the same for a mean.
	certainSigmas = 3.1
	likelySigmas  = 1.65
	// leastBad is how many requests have to go wrong for any certainty, and
	// leastPriced how many costs a mean needs.
	leastBad    = 3
	leastPriced = 10
)

// share judges k of n requests that are on the wrong side, where a share of p
// is allowed.
func share(k, n uint64, p float64) level {
	if n == 0 || k == 0 || float64(k) < p*float64(n) {
		return met
	}
	switch chance := tail(n, k, p); {
	case chance < certainChance && k >= leastBad:
		return certain
	case chance < likelyChance:
		return likely
	}
	return doubtful
}

// tail is the probability of at least k successes in n trials of probability p.
func tail(n, k uint64, p float64) float64 {
	switch {
	case k == 0 || p >= 1:
		return 1
	case p <= 0:
		return 0
	case float64(k) <= p*float64(n):
		return 1 // about a half or more: no evidence at all
	}
	logChoose := lgamma(n) - lgamma(k) - lgamma(n-k)
	term := math.Exp(logChoose + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := term
	for i := k; i < n && term > sum*1e-9; i++ { // each is smaller than the one before
		term *= float64(n-i) / float64(i+1) * p / (1 - p)
		sum += term
	}
	return min(sum, 1)
}

// lgamma is the logarithm of n!.
func lgamma(n uint64) float64 {
	v, _ := math.Lgamma(float64(n) + 1)
	return v
}

// errors judges the share of requests that fail by the endpoint's fault.
// Requests that it rejects count as far as they are certainly more than the others
// reject: what clients do wrong, all endpoints reject.
func (g Guard) errors(r *Result, fresh, others *Counts) {
	if fresh.Requests > 0 {
		r.Value = percent(float64(fresh.bad(others)) / float64(fresh.Requests))
	}
	limit := g.Limit
	if others.Requests > 0 {
		theirs := float64(others.Errors) / float64(others.Requests)
		r.Others = percent(theirs)
		r.excused = !g.Relative && others.Requests >= leastPriced && theirs >= limit && theirs*float64(fresh.Requests) >= float64(fresh.bad(others))
	}
	if g.Relative { // as if one more had failed: no error at all is luck
		limit = min(1, g.Limit*float64(others.Errors+1)/float64(others.Requests+1))
	}
	r.level = share(fresh.bad(others), fresh.Requests, limit)
}

// bad are the requests that went wrong at c's endpoint and would not have at others.
func (c *Counts) bad(others *Counts) uint64 {
	usual := float64(others.Rejected+1) / float64(others.Requests+1)
	if others.Requests == 0 || c.Rejected < leastBad || tail(c.Requests, c.Rejected, usual) >= certainChance {
		return c.Errors
	}
	return c.Errors + c.Rejected - min(c.Rejected, uint64(usual*float64(c.Requests)))
}

// firstToken judges a quantile of the time to the first token.
func (g Guard) firstToken(r *Result, fresh, others *Counts, overdue func(time.Duration) uint64) {
	limit := g.Limit
	if others.timed() > 0 {
		theirs := others.quantile(g.Quantile)
		r.Others = seconds(theirs)
		if g.Relative {
			limit = g.Limit * theirs
		}
	}
	n, k := fresh.timed(), uint64(fresh.above(limit))
	if overdue != nil {
		late := overdue(time.Duration(limit * float64(time.Second)))
		n, k = n+late, k+late
	}
	r.Requests = n
	if n > 0 {
		value := fresh.quantile(g.Quantile)
		if r.Value = seconds(value); float64(k) >= (1-g.Quantile)*float64(n) && value < limit {
			r.Value = "more than " + seconds(limit) // for those that still wait
		}
	}
	r.level = share(k, n, 1-g.Quantile)
	if m := others.timed(); !g.Relative && m >= leastPriced && r.level > met {
		r.excused = others.above(limit)*float64(n) >= float64(k)*float64(m) && share(uint64(others.above(limit)), m, 1-g.Quantile) > met
	}
}

// timed are the streams whose first token was timed.
func (c *Counts) timed() (n uint64) {
	for _, k := range c.FirstToken {
		n += k
	}
	return n
}

// bucket returns the bounds of a bucket in seconds.
func bucket(i int) (low, high float64) {
	if i > 0 {
		low = float64(wire.FirstTokenBounds[i-1]) / 1e3
	}
	if i == len(wire.FirstTokenBounds) {
		return low, 2 * low
	}
	return low, float64(wire.FirstTokenBounds[i]) / 1e3
}

// above is how many streams took longer; within a bucket they are taken to be
// spread evenly.
func (c *Counts) above(limit float64) (n float64) {
	for i, k := range c.FirstToken {
		low, high := bucket(i)
		n += float64(k) * min(1, max(0, (high-limit)/(high-low)))
	}
	return n
}

// quantile is in seconds.
func (c *Counts) quantile(q float64) float64 {
	rank := q * float64(c.timed())
	for i, k := range c.FirstToken {
		if rank <= float64(k) && k > 0 {
			low, high := bucket(i)
			return low + (high-low)*rank/float64(k)
		}
		rank -= float64(k)
	}
	return 0
}

// cost judges the mean cost of a request.
func (g Guard) cost(r *Result, fresh, others *Counts) {
	mean, variance := fresh.meanCost()
	if fresh.Priced > 0 {
		r.Value = "$" + strconv.FormatFloat(mean, 'g', 3, 64)
	}
	limit, noise := g.Limit, variance
	theirs, spread := others.meanCost()
	if others.Priced > 0 {
		r.Others = "$" + strconv.FormatFloat(theirs, 'g', 3, 64)
	}
	if g.Relative {
		limit, noise = g.Limit*theirs, variance+g.Limit*g.Limit*spread
	}
	r.excused = !g.Relative && others.Priced >= leastPriced && theirs >= limit && theirs >= mean
	more := mean - limit
	if fresh.Priced == 0 || more < 0 || more == 0 && mean == 0 {
		return
	}
	r.level = doubtful
	if fresh.Priced >= leastPriced {
		switch sigma := math.Sqrt(noise); {
		case more > certainSigmas*sigma:
			r.level = certain
		case more > likelySigmas*sigma:
			r.level = likely
		}
	}
}

// meanCost is that of a request, with the variance of the mean.
func (c *Counts) meanCost() (mean, variance float64) {
	if c.Priced == 0 {
		return 0, 0
	}
	n := float64(c.Priced)
	mean = c.Cost / n
	if n < 2 {
		return mean, 0
	}
	return mean, max(0, c.CostSquares-n*mean*mean) / (n - 1) / n
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'g', 3, 64) + "%" }

func seconds(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) + "s" }
