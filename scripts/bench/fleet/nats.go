package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// playNATS is a server as durable as in production: every frame is on the disk
// before its node hears that it is stored.
func playNATS(ctx context.Context, addr, dir string) error {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("NATS: %w", err)
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("NATS: port %q: %w", text, err)
	}
	s, err := server.NewServer(&server.Options{
		Host: host, Port: number, NoSigs: true, NoLog: true, MaxPayload: 8 << 20,
		JetStream: true, StoreDir: dir, SyncAlways: true,
	})
	if err != nil {
		return fmt.Errorf("NATS: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("NATS did not start within 10 s")
	}
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
