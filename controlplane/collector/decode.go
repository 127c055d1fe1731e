package collector

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/wire"
)

// open reads a message. What cannot be read comes back as dead letters; the
// frame is then done like any other.
func (c *Collector) open(msg jetstream.Msg) (frame, []event, []deadLetter) {
	f := frame{msg: msg, node: strings.TrimPrefix(msg.Subject(), wire.UsagePrefix), bytes: len(msg.Data())}
	content, err := bus.DecodeFrame(msg.Headers(), msg.Data())
	// receipts go to the node that NATS let publish, not to whom it claims to be
	if err == nil && content.Node != f.node {
		err = fmt.Errorf("frame: it names node %q", content.Node)
	}
	if err != nil {
		f.readHeaders(msg.Headers())
		return f, nil, []deadLetter{{reason: err.Error(), node: f.node, epoch: f.epoch, seq: f.first, last: f.last, header: msg.Headers(), data: msg.Data()}}
	}
	f.epoch, f.first, f.last = content.Epoch, content.First, content.Last
	f.bytes = max(f.bytes, len(content.Lines))
	events, poison := c.lines(f, content.Lines)
	return f, events, poison
}

// readHeaders takes what a frame that cannot be opened says of its place in the spool.
func (f *frame) readHeaders(h nats.Header) {
	first, err1 := strconv.ParseUint(h.Get(wire.HeaderFirst), 10, 64)
	last, err2 := strconv.ParseUint(h.Get(wire.HeaderLast), 10, 64)
	if err1 == nil && err2 == nil && first <= last {
		f.epoch, f.first, f.last = h.Get(wire.HeaderEpoch), first, last
	}
}

func (c *Collector) lines(f frame, text []byte) (events []event, poison []deadLetter) {
	lines := bytes.Split(bytes.Trim(text, "\n"), []byte{'\n'})
	// a node that skipped damaged records has fewer lines than numbers, and
	// which number is whose cannot be told
	numbered := uint64(len(lines)) == f.last-f.first+1
	for i, line := range lines {
		letter := deadLetter{node: f.node, epoch: f.epoch, data: line}
		if numbered {
			letter.seq = f.first + uint64(i)
			letter.last = letter.seq
		}
		row, err := c.row(line, letter)
		if err != nil {
			letter.reason = err.Error()
			poison = append(poison, letter)
			continue
		}
		events = append(events, event{row, letter})
	}
	return events, poison
}

func (c *Collector) row(line []byte, l deadLetter) (*requestlog.Row, error) {
	u, unknown, err := c.decoder.Decode(line)
	if err != nil {
		return nil, err
	}
	// The node is the one that NATS let publish, not the one that the event names:
	// that may be another's, or an old NODE_ID of the same node's STATE_DIR.
	u.Node = l.node
	return requestlog.NewRow(u, requestlog.Origin{SpoolEpoch: l.epoch, Seq: l.seq, Extra: unknown})
}
