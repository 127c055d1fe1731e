package server

import (
	"context"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/shared/wire"
)

func showNode(n *nodes.Node) adminapi.Node {
	out := adminapi.Node{
		Node: n.Node, State: string(n.State), Version: n.Version, Release: n.Release, ReleaseState: n.NodeStatus.State, Reason: n.Reason, Source: n.Source, Keys: n.Keys,
		InFlight: n.InFlight, Requests: n.Requests, UsageIssued: n.Usage.Issued, UsagePending: n.Usage.Pending, UsageLost: n.Usage.Lost,
		MissingSecrets: n.Missing, Troubled: n.Troubled, Notes: n.Notes, LastSeenMS: time.Since(n.Seen).Milliseconds(), Draining: n.Draining,
		// both by the node's clock, so that ours does not matter
		UptimeS: max(0, (n.Time-n.Started)/1000), ClockSkewMS: n.Time - n.Seen.UnixMilli(),
	}
	if n.Canary != nil && n.Canary.State == wire.StateApplied {
		out.Canary = n.Canary.Number
	}
	return out
}

func (s *Server) nodes(context.Context, adminapi.None) ([]adminapi.Node, error) {
	found := s.o.Nodes.List()
	out := make([]adminapi.Node, len(found))
	for i := range found {
		out[i] = showNode(&found[i])
	}
	return out, nil
}

func (s *Server) node(_ context.Context, in adminapi.ByID) (adminapi.Node, error) {
	found := s.o.Nodes.List()
	for i := range found {
		if found[i].Node == in.ID {
			return showNode(&found[i]), nil
		}
	}
	return adminapi.Node{}, problemf(http.StatusNotFound, "node %q not found", in.ID)
}
