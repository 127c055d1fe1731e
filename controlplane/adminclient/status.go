package adminclient

import (
	"context"
	"net/http"
	"time"
)

// Status is the state of the daemon and of what it needs.
type Status struct {
	Version string `json:"version"`
	// Release is the current one, Published the one that NATS has.
	Release   uint64     `json:"release"`
	Published uint64     `json:"published_release"`
	Epoch     uint64     `json:"epoch"`
	Models    int        `json:"models"`
	Endpoints int        `json:"endpoints"`
	Nodes     NodeCounts `json:"nodes"`
	NATS      string     `json:"nats"`
	Database  string     `json:"database"`
	LogStore  string     `json:"log_store"`
	Keys      int        `json:"keys"`
	Started   time.Time  `json:"started"`
}

// NodeCounts counts the nodes that send heartbeats and those that stopped.
type NodeCounts struct {
	Live  int `json:"live"`
	Stale int `json:"stale"`
}

// Status asks the daemon how it is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return fetch[Status](ctx, c, call{method: http.MethodGet, path: "status"})
}
