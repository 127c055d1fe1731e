package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// Limits size the streams. The zero value is a single server's default.
type Limits struct {
	// UsageBytes bounds the stream of usage frames, 2 GiB by default. A full
	// stream refuses frames, which then stay with their nodes: nothing is dropped.
	UsageBytes int64
	// DeadLetterBytes bounds the dead letters, 1 GiB by default.
	DeadLetterBytes int64
	// Replicas is 1, or 3 in a cluster.
	Replicas int
}

const (
	maxFrame    = 1 << 20
	ackWait     = time.Minute
	maxPending  = 200
	dedupeSpan  = time.Minute
	defaultUse  = 2 << 30
	defaultDead = 1 << 30
)

// EnsureUsage creates the streams of usage events and dead letters, or brings
// them up to date. Nothing leaves them by age or by pressure.
func EnsureUsage(ctx context.Context, nc *nats.Conn, l Limits) (jetstream.JetStream, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", wire.UsageStream, err)
	}
	base := jetstream.StreamConfig{
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, Storage: jetstream.FileStorage,
		Replicas: max(1, l.Replicas), Duplicates: dedupeSpan, MaxMsgSize: maxFrame, DenyDelete: true, MaxMsgs: -1,
	}
	usage, dead := base, base
	usage.Name, usage.Subjects, usage.MaxBytes = wire.UsageStream, []string{wire.UsagePrefix + ">"}, orDefault(l.UsageBytes, defaultUse)
	dead.Name, dead.Subjects, dead.MaxBytes = wire.DeadLetterStream, []string{wire.DeadLetterPrefix + ">"}, orDefault(l.DeadLetterBytes, defaultDead)
	dead.DenyDelete = false // an operator drops letters one by one
	for _, cfg := range []jetstream.StreamConfig{usage, dead} {
		if err := ensureStream(ctx, js, cfg); err != nil {
			return nil, fmt.Errorf("stream %s: %w", cfg.Name, err)
		}
	}
	return js, nil
}

// ensureStream creates the stream, and updates it only if it differs: every
// collector and the daemon ask for it at their start, and a server that updates
// a stream while someone else makes a consumer of it races with itself.
func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) error {
	s, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		// Equal configurations do not collide: whoever comes second gets the first one's.
		s, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return err
	}
	is := s.CachedInfo().Config
	if slices.Equal(is.Subjects, want.Subjects) && is.MaxBytes == want.MaxBytes && is.Replicas == want.Replicas && is.Retention == want.Retention &&
		is.Discard == want.Discard && is.Duplicates == want.Duplicates && is.MaxMsgSize == want.MaxMsgSize && is.DenyDelete == want.DenyDelete {
		return nil
	}
	_, err = js.UpdateStream(ctx, want)
	return err
}

func orDefault(n, def int64) int64 {
	if n > 0 {
		return n
	}
	return def
}

// EnsureSink creates the durable consumer of one store, or brings it up to
// date. A new one starts with the oldest frame that the stream still has.
func EnsureSink(ctx context.Context, js jetstream.JetStream, store string) (jetstream.Consumer, error) {
	name := wire.SinkPrefix + store
	c, err := js.CreateOrUpdateConsumer(ctx, wire.UsageStream, jetstream.ConsumerConfig{
		Durable: name, DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		MaxAckPending: maxPending, MaxDeliver: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", name, err)
	}
	return c, nil
}

// Fill is how much of a stream's room is taken, in bytes.
type Fill struct {
	Stream      string
	Used, Limit uint64
}

// Fills returns that of the streams of usage events and dead letters.
func Fills(ctx context.Context, nc *nats.Conn) ([]Fill, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", wire.UsageStream, err)
	}
	var list []Fill
	for _, name := range []string{wire.UsageStream, wire.DeadLetterStream} {
		s, err := js.Stream(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", name, err)
		}
		info := s.CachedInfo()
		list = append(list, Fill{name, info.State.Bytes, uint64(max(0, info.Config.MaxBytes))})
	}
	return list, nil
}
