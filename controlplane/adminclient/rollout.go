package adminclient

import (
	"context"
	"time"
)

// Change are the fields that every change takes.
type Change struct {
	// Reason goes to the audit log and the list of releases; may be empty.
	Reason string
	// Wait is how long the daemon waits for all live nodes; 0 does not wait.
	Wait time.Duration
	// IfRelease refuses the change unless this release is current; 0 does not ask.
	IfRelease uint64
}

// changeBody is a Change as the API takes it.
type changeBody struct {
	Reason    string `json:"reason"`
	WaitMS    int64  `json:"wait_ms"`
	IfRelease uint64 `json:"if_release,omitempty"`
}

func (c Change) body() changeBody { return changeBody{c.Reason, c.Wait.Milliseconds(), c.IfRelease} }

// What a node did with a release, as NodeResult.State.
const (
	Applied  = "applied"
	Rejected = "rejected"
	Pending  = "pending"
)

// Rollout is a release that was made, and what the nodes did with it within
// the time that the daemon was asked to wait.
type Rollout struct {
	Release uint64 `json:"release"`
	// Changed is false if everything was that way before.
	Changed bool         `json:"changed"`
	Nodes   []NodeResult `json:"nodes"`
}

// NodeResult is one live node of a Rollout.
type NodeResult struct {
	Node  string `json:"node"`
	State string `json:"state"`
	// MS is how long the node took, or has been waited for, in milliseconds.
	MS int64 `json:"ms"`
	// Reason says why the node rejected the release.
	Reason string `json:"reason,omitempty"`
}

func (c *Client) rollOut(ctx context.Context, in call) (Rollout, error) {
	out, err := fetch[Rollout](ctx, c, in)
	out.Nodes = orEmpty(out.Nodes)
	return out, err
}
