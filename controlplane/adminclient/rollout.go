package adminclient

import "context"

// What a node did with a release, as NodeResult.State.
const (
	Applied  = "applied"
	Rejected = "rejected"
	Pending  = "pending"
)

// Rollout is a release that was made, and what the nodes did with it within
// the time that the daemon was asked to wait.
type Rollout struct {
	Release uint64       `json:"release"`
	Nodes   []NodeResult `json:"nodes"`
}

// NodeResult is one live node of a Rollout.
type NodeResult struct {
	Node  string `json:"node"`
	State string `json:"state"`
	// MS is the time from the change to the node's acknowledgement.
	MS float64 `json:"ms"`
	// Reason says why the node rejected the release.
	Reason string `json:"reason,omitempty"`
}

func (c *Client) rollOut(ctx context.Context, in call) (Rollout, error) {
	out, err := fetch[Rollout](ctx, c, in)
	out.Nodes = orEmpty(out.Nodes)
	return out, err
}
