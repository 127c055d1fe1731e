package adminclient

import (
	"context"
	"net/http"

	"github.com/hybridinference/gateway/shared/wire"
)

// What a node is, as Node.State.
const (
	Live  = "live"
	Stale = "stale"
	Gone  = "gone"
)

// Node is what the daemon knows of a data-plane node.
type Node struct {
	Node    string `json:"node"`
	State   string `json:"state"`
	Version string `json:"version"`
	Release uint64 `json:"release"`
	// ReleaseState is applied, rejected or none; Reason belongs to rejected.
	ReleaseState string `json:"release_state"`
	Reason       string `json:"reason"`
	// Source tells where the release came from: nats or disk.
	Source string `json:"source"`
	// Keys is the generation of the key table.
	Keys     uint64 `json:"keys"`
	InFlight int64  `json:"in_flight"`
	Requests uint64 `json:"requests"`
	// Usage events since the node started.
	UsageIssued  uint64 `json:"usage_issued"`
	UsagePending uint64 `json:"usage_pending"`
	UsageLost    uint64 `json:"usage_lost"`
	// MissingSecrets are endpoints out of service there.
	MissingSecrets []wire.MissingSecret `json:"missing_secrets"`
	// Troubled are endpoints that are not in order there.
	Troubled []wire.EndpointState `json:"troubled"`
	// LastSeenMS is the age of the last heartbeat in milliseconds.
	LastSeenMS int64 `json:"last_seen_ms"`
	UptimeS    int64 `json:"uptime_s"`
	Draining   bool  `json:"draining"`
	// ClockSkewMS is how far its clock is ahead of the daemon\'s.
	ClockSkewMS int64 `json:"clock_skew_ms"`
}

// Nodes lists the nodes.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	return listOf[Node](ctx, c, call{method: http.MethodGet, path: "nodes"})
}

// Node returns one node.
func (c *Client) Node(ctx context.Context, id string) (Node, error) {
	return fetch[Node](ctx, c, call{method: http.MethodGet, path: "nodes/" + element(id)})
}
