package collector

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// batch is what is being processed: complete frames, since only frames are acknowledged.
type batch struct {
	frames  []frame
	events  []event
	poison  []deadLetter
	dead    []deadLetter // that are stored as such
	bytes   int
	oldest  time.Time
	waiting uint64
}

// frame is one message of the stream. Epoch is "" if it could not be read.
type frame struct {
	msg         jetstream.Msg
	node, epoch string
	first, last uint64
	// bytes is its size in memory, unpacked.
	bytes int
}

// event is a row with what is needed to dead-letter it.
type event struct {
	row    *requestlog.Row
	letter deadLetter
}

// size is the number of events, readable or not.
func (b *batch) size() int { return len(b.events) + len(b.poison) }

func (b *batch) add(f frame, events []event, poison []deadLetter) {
	b.frames = append(b.frames, f)
	b.events = append(b.events, events...)
	b.poison = append(b.poison, poison...)
	b.bytes += f.bytes
	meta, err := f.msg.Metadata()
	if err != nil { // only a message that is not JetStream's has none
		meta = &jetstream.MsgMetadata{Timestamp: time.Now()}
	}
	b.waiting = meta.NumPending
	if b.oldest.IsZero() || meta.Timestamp.Before(b.oldest) {
		b.oldest = meta.Timestamp
	}
}
