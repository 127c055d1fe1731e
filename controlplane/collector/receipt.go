package collector

import (
	"context"
	"log/slog"

	"github.com/hybridinference/gateway/shared/wire"
)

// sendReceipts tells each node what of its spool is committed. It comes before
// the acknowledgements: a crash in between has the frames delivered again and
// the receipts with them. A receipt that gets lost makes the node send again.
func (c *Collector) sendReceipts(ctx context.Context, b *batch) {
	if !c.opts.Primary {
		return
	}
	for node, receipt := range receipts(b.frames) {
		data, err := receipt.Encode()
		if err == nil {
			err = c.opts.NATS.Publish(wire.CommitPrefix+node, data)
		}
		if err != nil {
			c.log.WarnContext(ctx, "receipt not sent; the node will send its events again",
				slog.String("node", node), slog.Any("error", err))
		}
	}
}

// receipts returns one receipt per node, neighbouring frames as one range.
func receipts(frames []frame) map[string]*wire.Receipt {
	byNode := make(map[string]*wire.Receipt)
	for _, f := range frames {
		if f.epoch == "" {
			continue // unreadable: nobody knows whose it is
		}
		r := byNode[f.node]
		if r == nil {
			r = new(wire.Receipt)
			byNode[f.node] = r
		}
		if n := len(r.Ranges); n > 0 && r.Ranges[n-1].Epoch == f.epoch && r.Ranges[n-1].Last+1 == f.first {
			r.Ranges[n-1].Last = f.last
			continue
		}
		r.Ranges = append(r.Ranges, wire.Range{Epoch: f.epoch, First: f.first, Last: f.last})
	}
	return byNode
}
