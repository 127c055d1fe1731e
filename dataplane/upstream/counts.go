package upstream

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// Counts are the totals of an endpoint since the node knows it, for comparisons
// of endpoints over all nodes. Requests add to them with atomic operations only.
type Counts struct {
	since                                            int64 // milliseconds since 1970
	answered, failed, rejected, streams, begun, paid atomic.Uint64
	firstToken                                       [wire.FirstTokenBuckets]atomic.Uint64
	cost, costSquares                                sum
}

// minWait is how long a client must have waited for its leaving to say
// something about the endpoint.
const minWait = time.Second

// sum is a sum of floats.
type sum struct{ bits atomic.Uint64 }

func (s *sum) add(v float64) {
	for {
		old := s.bits.Load()
		if s.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func (s *sum) load() float64 { return math.Float64frombits(s.bits.Load()) }

// Answered counts an attempt that was answered.
func (c *Counts) Answered() { c.answered.Add(1) }

// Failed counts an attempt that failed by the endpoint's fault.
func (c *Counts) Failed() { c.failed.Add(1) }

// Rejected counts an attempt whose request was at fault, as the endpoint says.
func (c *Counts) Rejected() { c.rejected.Add(1) }

// Sent counts an attempt at a streamed answer.
func (c *Counts) Sent() { c.streams.Add(1) }

// Began counts the first content of a streamed answer.
func (c *Counts) Began(after time.Duration) {
	c.note(after)
	c.begun.Add(1)
}

// Blank counts a streamed answer that has ended without content; abandoned is
// how long a client that has left had waited for it, 0 if it did not leave.
func (c *Counts) Blank(abandoned time.Duration) {
	if abandoned >= minWait {
		c.note(abandoned)
	}
	c.begun.Add(1)
}

func (c *Counts) note(wait time.Duration) {
	bucket, _ := slices.BinarySearch(wire.FirstTokenBounds[:], wait.Milliseconds())
	c.firstToken[bucket].Add(1)
}

// Paid counts the cost of a request, in pico-dollars.
func (c *Counts) Paid(pico int64) {
	usd := float64(pico) / 1e12
	c.paid.Add(1)
	c.cost.add(usd)
	c.costSquares.add(usd * usd)
}

// Totals returns the counts for a heartbeat. Begun is read before Streams, so that it is never
// the greater.
func (c *Counts) Totals(endpoint string) wire.EndpointCounts {
	out := wire.EndpointCounts{Endpoint: endpoint, Since: c.since, Begun: c.begun.Load(), Streams: c.streams.Load(), Priced: c.paid.Load(), CostUSD: c.cost.load(), CostSquares: c.costSquares.load()}
	out.Errors, out.Rejected = c.failed.Load(), c.rejected.Load()
	out.Requests = c.answered.Load() + out.Errors + out.Rejected
	for i := range c.firstToken {
		if n := c.firstToken[i].Load(); n > 0 {
			out.FirstToken = append(out.FirstToken, make([]uint64, i-len(out.FirstToken))...)
			out.FirstToken = append(out.FirstToken, n)
		}
	}
	return out
}

// Down says why the endpoint gets no requests, "" if it does. A half-open
// breaker lets one through, and a cool-down is no failure.
func (s *State) Down(now time.Time) string {
	word, reason := s.Condition(now)
	switch word {
	case "open":
		return "the circuit breaker is open: " + reason
	case "probe_failed":
		return "the health check fails: " + reason
	}
	return ""
}
