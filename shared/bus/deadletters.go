package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// DeadLetter is what a sink could not store.
type DeadLetter struct {
	// ID is its number in the stream.
	ID   uint64
	Sink string
	Time time.Time
	// Reason says why, Node and Epoch, First and Last which events it holds.
	Reason string
	Header nats.Header
	Data   []byte
}

// DeadLetters returns up to limit letters with a number above after, and how
// many there are in all.
func DeadLetters(ctx context.Context, nc *nats.Conn, after uint64, limit int) (list []DeadLetter, total uint64, err error) {
	stream, err := deadStream(ctx, nc)
	if err != nil {
		return nil, 0, err
	}
	state := stream.CachedInfo().State
	for seq := max(after+1, state.FirstSeq); seq <= state.LastSeq && len(list) < limit; seq++ {
		m, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // dropped
		}
		if err != nil {
			return nil, 0, fmt.Errorf("dead letter %d: %w", seq, err)
		}
		list = append(list, DeadLetter{
			ID: seq, Sink: strings.TrimPrefix(m.Subject, wire.DeadLetterPrefix), Time: m.Time, Reason: m.Header.Get(wire.HeaderReason), Header: m.Header, Data: m.Data,
		})
	}
	return list, state.Msgs, nil
}

func deadStream(ctx context.Context, nc *nats.Conn) (jetstream.Stream, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", wire.DeadLetterStream, err)
	}
	stream, err := js.Stream(ctx, wire.DeadLetterStream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", wire.DeadLetterStream, err)
	}
	return stream, nil
}

// DropDeadLetter removes a letter for good.
func DropDeadLetter(ctx context.Context, nc *nats.Conn, id uint64) error {
	stream, err := deadStream(ctx, nc)
	if err != nil {
		return err
	}
	if err := stream.DeleteMsg(ctx, id); err != nil {
		return fmt.Errorf("drop dead letter %d: %w", id, err)
	}
	return nil
}

// ReplayAge is how old a letter must be to be replayed: one that fails
// again sooner would be taken for its own repetition, and be lost.
const ReplayAge = dedupeSpan + 5*time.Second

// ErrTooYoung means that a letter has to wait for ReplayAge.
var ErrTooYoung = errors.New("too recent to be replayed")

// ReplayDeadLetter puts a letter back among the usage events, for all sinks,
// and removes it. One that still cannot be stored comes back as a new letter.
func ReplayDeadLetter(ctx context.Context, nc *nats.Conn, l *DeadLetter) error {
	if age := time.Since(l.Time); age < ReplayAge {
		return fmt.Errorf("dead letter %d: %w: try again in %s", l.ID, ErrTooYoung, (ReplayAge - age).Round(time.Second))
	}
	node := l.Header.Get(wire.HeaderNode)
	if node == "" {
		return fmt.Errorf("dead letter %d: it names no node", l.ID)
	}
	m := &nats.Msg{Subject: wire.UsagePrefix + node, Data: l.Data, Header: nats.Header{}}
	for name, values := range l.Header {
		if strings.HasPrefix(name, "Gw-") && name != wire.HeaderReason {
			m.Header[name] = values
		}
	}
	m.Header.Set(nats.MsgIdHdr, fmt.Sprintf("replay/%d/%d", l.ID, l.Time.UnixNano()))
	if err := PublishFrame(ctx, nc, m); err != nil {
		return fmt.Errorf("replay dead letter %d: %w", l.ID, err)
	}
	return DropDeadLetter(ctx, nc, l.ID)
}

// Sink is how far a store is with the usage events.
type Sink struct {
	Name string
	// Waiting frames were not given to it yet, InHand are not acknowledged.
	Waiting uint64
	InHand  int
	// Pulling: a collector waits for frames. Delivered counts the frames that
	// collectors were ever given.
	Pulling   bool
	Delivered uint64
}

// Sinks lists the stores that take usage events, and how many frames there are.
func Sinks(ctx context.Context, nc *nats.Conn) (list []Sink, frames, bytes uint64, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("stream %s: %w", wire.UsageStream, err)
	}
	stream, err := js.Stream(ctx, wire.UsageStream)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("stream %s: %w", wire.UsageStream, err)
	}
	consumers := stream.ListConsumers(ctx)
	for info := range consumers.Info() {
		if name, ok := strings.CutPrefix(info.Name, wire.SinkPrefix); ok {
			list = append(list, Sink{Name: name, Waiting: info.NumPending, InHand: info.NumAckPending, Pulling: info.NumWaiting > 0, Delivered: info.Delivered.Consumer})
		}
	}
	state := stream.CachedInfo().State
	return list, state.Msgs, state.Bytes, consumers.Err()
}
