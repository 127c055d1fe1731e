package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// ErrNoDocument means that the bucket, or the document in it, is not there
// (yet, or any more): the control plane will put it back.
var ErrNoDocument = errors.New("no such document")

const (
	// configStream is the stream under the bucket.
	configStream = "KV_" + wire.ConfigBucket
	// history is how many versions of a document the bucket keeps.
	history = 16
	// maxBucket bounds the bucket.
	maxBucket = 256 << 20
)

// EnsureConfig creates the bucket of the configuration, or brings it up to
// date. replicas is 1, or 3 in a cluster.
func EnsureConfig(ctx context.Context, nc *nats.Conn, replicas int) (jetstream.KeyValue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	want := jetstream.KeyValueConfig{
		Bucket: wire.ConfigBucket, Description: "what nodes serve: the current release and key table",
		History: history, MaxBytes: maxBucket, MaxValueSize: MaxSealed, Replicas: max(1, replicas),
	}
	kv, err := js.CreateKeyValue(ctx, want) // no error if it exists like this
	if errors.Is(err, jetstream.ErrBucketExists) {
		kv, err = js.UpdateKeyValue(ctx, want)
	}
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	return kv, nil
}

func openConfig(ctx context.Context, nc *nats.Conn) (jetstream.KeyValue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	kv, err := js.KeyValue(ctx, wire.ConfigBucket)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	return kv, nil
}

// ErrNewer means that the bucket holds a document of a later epoch or
// generation: another control plane is ahead of this one.
var ErrNewer = errors.New("the bucket holds a newer document")

// Publish puts a sealed document into the bucket and makes the bucket if it is
// not there. It never replaces a newer document; what is there already in the
// same epoch and generation is left alone.
func Publish(ctx context.Context, nc *nats.Conn, key string, doc []byte, replicas int) error {
	ours, _, err := split(doc)
	if err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	if limit := nc.MaxPayload(); limit > 0 && int64(len(doc)) > limit {
		return fmt.Errorf("publish %s: %d bytes packed, NATS allows %d: raise its max_payload", key, len(doc), limit)
	}
	kv, err := openConfig(ctx, nc)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = EnsureConfig(ctx, nc, replicas)
	}
	if err != nil {
		return err
	}
	for {
		err := swap(ctx, kv, key, ours, doc)
		if !errors.Is(err, jetstream.ErrKeyExists) || ctx.Err() != nil {
			return err
		}
		// someone wrote in between: look again who is newer
	}
}

// swap writes over exactly the revision that it compared with.
func swap(ctx context.Context, kv jetstream.KeyValue, key string, ours header, doc []byte) error {
	current, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		if _, err = kv.Create(ctx, key, doc); err != nil {
			return fmt.Errorf("publish %s: %w", key, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	// A document that cannot be read is worth nothing, nor is one beside signed
	// documents of ours that is not signed by the same key: it may be forged, or
	// be of a key that was replaced.
	if theirs, _, err := split(current.Value()); err == nil && (ours.SignedBy == "" || theirs.SignedBy == ours.SignedBy && theirs.verify()) {
		switch {
		case theirs.newer(ours):
			return fmt.Errorf("publish %s %d: %w: %d of epoch %d", key, ours.Gen, ErrNewer, theirs.Gen, theirs.Epoch)
		case theirs == ours:
			return nil
		}
	}
	if _, err := kv.Update(ctx, key, doc, current.Revision()); err != nil {
		return fmt.Errorf("publish %s: %w", key, err)
	}
	return nil
}

// Fetch returns a document as it was sealed, by one direct GET. It needs no
// more permission than that.
func Fetch(ctx context.Context, nc *nats.Conn, key string) ([]byte, error) {
	subject := "$KV." + wire.ConfigBucket + "." + key
	msg, err := nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+configStream+"."+subject, nil)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, fmt.Errorf("%w: bucket %s does not exist", ErrNoDocument, wire.ConfigBucket)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", key, err)
	}
	if msg.Header.Get("KV-Operation") != "" { // someone deleted or purged the key
		return nil, fmt.Errorf("%w: %s was deleted", ErrNoDocument, key)
	}
	switch status := msg.Header.Get("Status"); status {
	case "":
		return msg.Data, nil
	case "404":
		return nil, fmt.Errorf("%w: %s", ErrNoDocument, key)
	default:
		return nil, fmt.Errorf("fetch %s: NATS answered %s %s", key, status, msg.Header.Get("Description"))
	}
}

// Mark tells states of the bucket apart: as long as it stays the same, no one
// has written to the bucket, wiped it or made it anew.
type Mark struct {
	created time.Time
	last    uint64
}

// ConfigMark returns the bucket's present mark, ErrNoDocument when there is no bucket.
func ConfigMark(ctx context.Context, nc *nats.Conn) (Mark, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return Mark{}, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	s, err := js.Stream(ctx, configStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return Mark{}, fmt.Errorf("%w: bucket %s does not exist", ErrNoDocument, wire.ConfigBucket)
	}
	if err != nil {
		return Mark{}, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	info := s.CachedInfo()
	return Mark{info.Created, info.State.LastSeq}, nil
}
