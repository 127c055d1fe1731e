package collector

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/wire"
)

// deadLetter is an event, or a whole frame that could not be opened, which then
// has the headers it came with.
type deadLetter struct {
	reason      string
	node, epoch string
	// seq is 0 when it is not known; last is that of a frame of several.
	seq, last uint64
	header    nats.Header
	data      []byte
}

// deadLetter stores a dead letter of a batch and waits until it is stored.
func (c *Collector) deadLetter(ctx context.Context, b *batch, d *deadLetter) error {
	msg := d.message(wire.DeadLetterPrefix + c.opts.Name)
	err := c.retry(ctx, "store a dead letter", func(ctx context.Context) error {
		_, err := c.js.PublishMsg(ctx, msg)
		return err
	})
	if err != nil {
		return fmt.Errorf("store a dead letter: %w", err)
	}
	b.dead = append(b.dead, *d)
	c.tracker.deadLettered()
	c.log.ErrorContext(ctx, "event cannot be stored", slog.String("node", d.node), slog.String("reason", d.reason))
	return nil
}

// message makes the letter a frame that bus.DecodeFrame opens: reading and
// replaying it needs nothing new.
func (d *deadLetter) message(subject string) *nats.Msg {
	// the stream takes messages of 1 MiB, headers included
	const readable, limit = 64 << 10, 1<<20 - 8<<10
	msg := &nats.Msg{Subject: subject, Data: d.data, Header: maps.Clone(d.header)}
	if msg.Header == nil {
		seq := strconv.FormatUint(d.seq, 10)
		msg.Header = nats.Header{
			wire.HeaderVersion: {strconv.Itoa(wire.Version)}, wire.HeaderNode: {d.node}, wire.HeaderEpoch: {d.epoch},
			wire.HeaderFirst: {seq}, wire.HeaderLast: {seq},
		}
		if len(d.data) > readable {
			msg.Data = s2.Encode(nil, d.data)
			msg.Header.Set(wire.HeaderEncoding, "s2")
		}
	}
	reason := d.reason
	if len(msg.Data) > limit {
		// it cannot be stored in full, and retrying forever would block everything
		reason = fmt.Sprintf("cut from %d bytes: %s", len(msg.Data), reason)
		msg.Data = msg.Data[:limit]
	}
	msg.Header.Set(nats.MsgIdHdr, d.id(subject))
	msg.Header.Set(wire.HeaderReason, headerText(reason))
	return msg
}

// id is the same for an event that is delivered again, which then makes no
// second letter while JetStream remembers the first.
func (d *deadLetter) id(subject string) string {
	h := sha256.New()
	h.Write(fmt.Appendf(nil, "%s/%s/%d/%s/", d.node, d.epoch, d.seq, d.reason))
	h.Write(d.data)
	return subject + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// headerText fits s into one line of a header.
func headerText(s string) string {
	const limit = 1000
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
