package nodes

import "github.com/hybridinference/gateway/shared/wire"

// Hear takes a heartbeat as if it had come over NATS.
func (t *Table) Hear(s *wire.NodeStatus) { t.hear(s) }

// Connection tells the table that NATS came or went.
func (t *Table) Connection(up bool) { t.connection(up) }
