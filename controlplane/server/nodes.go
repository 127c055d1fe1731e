package server

import (
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/wire"
)

// node is a node as /admin/nodes shows it.
type node struct {
	Node           string               `json:"node"`
	State          nodes.State          `json:"state"`
	Version        string               `json:"version"`
	Release        uint64               `json:"release"`
	ReleaseState   string               `json:"release_state"`
	Reason         string               `json:"reason"`
	Source         string               `json:"source"`
	Keys           uint64               `json:"keys"`
	InFlight       int64                `json:"in_flight"`
	Requests       uint64               `json:"requests"`
	UsageIssued    uint64               `json:"usage_issued"`
	UsagePending   uint64               `json:"usage_pending"`
	UsageLost      uint64               `json:"usage_lost"`
	MissingSecrets []wire.MissingSecret `json:"missing_secrets"`
	Troubled       []wire.EndpointState `json:"troubled"`
	LastSeenMS     int64                `json:"last_seen_ms"`
	UptimeS        int64                `json:"uptime_s"`
	Draining       bool                 `json:"draining"`
	// ClockSkewMS is how far the node's clock is ahead of ours, with the
	// heartbeat's way in it.
	ClockSkewMS int64 `json:"clock_skew_ms"`
}

func show(n *nodes.Node) node {
	missing := n.Missing
	if missing == nil {
		missing = []wire.MissingSecret{}
	}
	troubled := n.Troubled
	if troubled == nil {
		troubled = []wire.EndpointState{}
	}
	return node{
		Node: n.Node, State: n.State, Version: n.Version, Release: n.Release, ReleaseState: n.NodeStatus.State, Reason: n.Reason, Source: n.Source, Keys: n.Keys,
		InFlight: n.InFlight, Requests: n.Requests, UsageIssued: n.Usage.Issued, UsagePending: n.Usage.Pending, UsageLost: n.Usage.Lost,
		MissingSecrets: missing, Troubled: troubled, LastSeenMS: time.Since(n.Seen).Milliseconds(), Draining: n.Draining,
		// both by the node's clock, so that ours does not matter
		UptimeS: max(0, (n.Time-n.Started)/1000), ClockSkewMS: n.Time - n.Seen.UnixMilli(),
	}
}

func (s *Server) nodes(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	found := s.o.Nodes.List()
	out := make([]node, len(found))
	for i := range found {
		out[i] = show(&found[i])
	}
	return out, nil
}

func (s *Server) node(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	found := s.o.Nodes.List()
	for i := range found {
		if found[i].Node == r.PathValue("id") {
			return show(&found[i]), nil
		}
	}
	return nil, problemf(http.StatusNotFound, "no node %q has announced itself", r.PathValue("id"))
}
