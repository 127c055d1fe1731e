package natssetup

import (
	"github.com/nats-io/jwt/v2"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// Permissions returns what a process of a role may publish and hear. name
// limits a data-plane node to its own subjects; "*" is for credentials that
// several nodes share.
//
// A node can read the current release and key table, which holds hashes only,
// say how it is, hand in its own usage events, and ask other nodes. It cannot
// publish releases, read anybody's usage events or change a stream. A collector
// can read usage events and store dead letters. The control plane owns the
// streams and the bucket.
func Permissions(role, name string) jwt.Permissions {
	var pub, sub []string
	inbox := bus.InboxPrefix(role) + ".>"
	switch role {
	case bus.RoleDataPlane:
		if name != "*" {
			inbox = bus.InboxPrefix(role) + "." + name + ".>"
		}
		pub = []string{
			wire.UsagePrefix + name, wire.NodeStatusPrefix + name, wire.LeasePrefix + name, wire.AskPrefix + ">",
			// Answers go to inboxes of who may ask. Leave to answer whatever subject a
			// question names would be leave to publish anywhere: a node can ask itself.
			bus.InboxPrefix(bus.RoleDataPlane) + ".>", bus.InboxPrefix(bus.RoleControlPlane) + ".>",
			"$JS.API.DIRECT.GET.KV_" + wire.ConfigBucket + ".$KV." + wire.ConfigBucket + ".>",
		}
		sub = []string{wire.BeatSubject, wire.CommitPrefix + name, wire.AskPrefix + ">"}
	case bus.RoleCollector:
		pub = []string{wire.CommitPrefix + "*", wire.DeadLetterPrefix + "*", "$JS.API.INFO", "$JS.ACK." + wire.UsageStream + ".>"}
		for _, stream := range []string{wire.UsageStream, wire.DeadLetterStream} {
			pub = append(pub, "$JS.API.STREAM.INFO."+stream, "$JS.API.STREAM.CREATE."+stream, "$JS.API.STREAM.UPDATE."+stream)
		}
		pub = append(pub, "$JS.API.STREAM.PURGE."+wire.UsageStream, "$JS.API.CONSUMER.INFO."+wire.UsageStream+".*",
			"$JS.API.CONSUMER.NAMES."+wire.UsageStream, "$JS.API.CONSUMER.LIST."+wire.UsageStream,
			"$JS.API.CONSUMER.CREATE."+wire.UsageStream+".*", "$JS.API.CONSUMER.MSG.NEXT."+wire.UsageStream+".*")
	default:
		pub = []string{
			wire.BeatSubject, wire.AskPrefix + ">", "$KV." + wire.ConfigBucket + ".>", "$JS.API.>", wire.UsagePrefix + "*", wire.LeaseStatePrefix + ">", wire.AskLimits, wire.LimitAlertSubject,
			bus.InboxPrefix(bus.RoleDataPlane) + ".>", inbox, // answers to nodes and to other daemons
		}
		sub = []string{wire.NodeStatusPrefix + "*", wire.AskLedger, wire.LeasePrefix + "*", wire.AskLimits}
	}
	return jwt.Permissions{Pub: jwt.Permission{Allow: pub}, Sub: jwt.Permission{Allow: append(sub, inbox)}}
}
