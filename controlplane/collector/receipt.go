package collector

import (
	"context"
	"log/slog"

	"github.com/hybridinference/gateway/shared/wire"
)

// sendReceipts tells each node what of its spool is committed or a dead letter. It comes before
// the acknowledgements: a crash in between has the frames delivered again and
// the receipts with them. A receipt that gets lost makes the node send again.
func (c *Collector) sendReceipts(ctx context.Context, b *batch) {
	if !c.opts.Primary {
		return
	}
	for node, receipt := range receipts(b) {
		data, err := receipt.Encode()
		if err == nil {
			err = c.opts.NATS.Publish(wire.CommitPrefix+node, data)
		}
		if err != nil {
			c.log.WarnContext(ctx, "failed to send a receipt; the node will resend its events",
				slog.String("node", node), slog.Any("error", err))
		}
	}
}

// receipts returns one receipt per node.
func receipts(b *batch) map[string]*wire.Receipt {
	byNode := make(map[string]*wire.Receipt)
	for _, f := range b.frames {
		if f.epoch == "" {
			continue // unreadable: its node is unknown
		}
		r := byNode[f.node]
		if r == nil {
			r = new(wire.Receipt)
			byNode[f.node] = r
		}
		r.Ranges = extend(r.Ranges, wire.Range{Epoch: f.epoch, First: f.first, Last: f.last})
	}
	for _, d := range b.dead {
		if r := byNode[d.node]; r != nil && d.seq > 0 {
			r.Dead = extend(r.Dead, wire.Range{Epoch: d.epoch, First: d.seq, Last: d.last})
		}
	}
	return byNode
}

// extend appends a range; neighbours become one.
func extend(list []wire.Range, r wire.Range) []wire.Range {
	if n := len(list); n > 0 && list[n-1].Epoch == r.Epoch && list[n-1].Last+1 == r.First {
		list[n-1].Last = r.Last
		return list
	}
	return append(list, r)
}
