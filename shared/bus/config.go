package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// ErrNoDocument means that the bucket, or the document in it, is not there
// (yet, or any more): the control plane will put it back.
var ErrNoDocument = errors.New("no such document")

const (
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
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: wire.ConfigBucket, Description: "what nodes serve: the current release and key table",
		History: history, MaxBytes: maxBucket, MaxValueSize: MaxSealed, Replicas: max(1, replicas),
	})
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", wire.ConfigBucket, err)
	}
	return kv, nil
}

// Fetch returns a document as it was sealed, by one direct GET. It needs no
// more permission than that.
func Fetch(ctx context.Context, nc *nats.Conn, key string) ([]byte, error) {
	stream := "KV_" + wire.ConfigBucket
	subject := "$KV." + wire.ConfigBucket + "." + key
	msg, err := nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+stream+"."+subject, nil)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, fmt.Errorf("%w: bucket %s is not there", ErrNoDocument, wire.ConfigBucket)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", key, err)
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
