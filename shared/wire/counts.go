package wire

// FirstTokenBounds are the upper bounds of the buckets of EndpointCounts.FirstToken,
// in milliseconds; a last bucket has what is above them all.
//
//nolint:gochecknoglobals // a constant table
var FirstTokenBounds = [...]int64{
	50, 100, 200, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10000, 15000, 20000, 30000, 60000,
}

// FirstTokenBuckets is how many buckets there are.
const FirstTokenBuckets = len(FirstTokenBounds) + 1

// EndpointCounts are totals of what an endpoint has done at a node. They only
// grow while Since stays the same, so that a lost heartbeat loses nothing.
type EndpointCounts struct {
	Endpoint string `json:"endpoint"`
	// Down says why the node sends it no requests, "" if it does: its breaker is
	// open, or its health check fails.
	Down string `json:"down,omitempty"`
	// Since is when counting began, milliseconds since 1970: another value means
	// that the totals have begun at 0 again.
	Since int64 `json:"since_ms"`
	// Requests are attempts that have ended: answered, Errors (the endpoint's
	// fault) and Rejected (the request's fault, as the endpoint says). Those whose
	// clients left before the answer began are not in it.
	Requests uint64 `json:"requests"`
	Errors   uint64 `json:"errors"`
	Rejected uint64 `json:"rejected"`
	// Streams are attempts at streamed answers that were sent, Begun those of
	// them that have had content or have ended without any.
	Streams uint64 `json:"streams"`
	Begun   uint64 `json:"begun"`
	// FirstToken counts streams by the time from the attempt's start to its first
	// content, in the buckets of FirstTokenBounds without trailing zeros. A client that has
	// waited in vain for at least a second counts with the time until it left.
	FirstToken []uint64 `json:"first_token,omitempty"`
	// Priced are requests with a known cost, CostUSD the sum of their costs and
	// CostSquares that of their squares.
	Priced      uint64  `json:"priced"`
	CostUSD     float64 `json:"cost_usd"`
	CostSquares float64 `json:"cost_usd_squares"`
}
