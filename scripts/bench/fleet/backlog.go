package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/wire"
)

// sink is the consumer of a collector into SQLite.
const sink = wire.SinkPrefix + "sqlite"

// backlog sees the usage events that are not in the database yet.
type backlog struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	nodes []string // their addresses
}

func openBacklog(natsAddr string, nodes []string) (*backlog, error) {
	nc, err := nats.Connect("nats://" + natsAddr)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	return &backlog{nc: nc, js: js, nodes: nodes}, nil
}

func (b *backlog) close(context.Context) error {
	b.nc.Close()
	return nil
}

// left says which events are not stored. The nodes are asked last, when they are
// likely to have none: asking one is work that it is charged for.
func (b *backlog) left(ctx context.Context) (string, error) {
	for range 2 { // what was at the node the first time is in NATS the second
		text, err := b.inNATS(ctx)
		if err != nil || text != "" {
			return text, err
		}
		for _, node := range b.nodes {
			pending, err := b.atNode(ctx, node)
			if err != nil {
				return "", err
			}
			if pending > 0 {
				return fmt.Sprintf("%d usage events are at the node %s", pending, node), nil
			}
		}
	}
	return "", nil
}

func (b *backlog) inNATS(ctx context.Context) (string, error) {
	c, err := b.js.Consumer(ctx, wire.UsageStream, sink)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return "the collector has not begun", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask for the collector's backlog: %w", err)
	}
	info := c.CachedInfo()
	if info.NumPending == 0 && info.NumAckPending == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d frames are in NATS, %d at the collector", info.NumPending, info.NumAckPending), nil
}

// atNode is how many events a node has not handed over; that some are lost is
// an error.
func (b *backlog) atNode(ctx context.Context, addr string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/health", nil)
	if err != nil {
		return 0, fmt.Errorf("ask the node: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the node: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // was read
	var h struct {
		Usage struct {
			Pending int64 `json:"pending"`
			Lost    int64 `json:"lost"`
		} `json:"usage"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&h); err != nil {
		return 0, fmt.Errorf("read the node's health: %w", err)
	}
	if h.Usage.Lost > 0 {
		return 0, fmt.Errorf("the node has lost %d usage events", h.Usage.Lost)
	}
	return h.Usage.Pending, nil
}
