package fleet

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startNATS starts a server in this process, as durable as in production, and
// returns its URL.
func (f *Fleet) startNATS() (string, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: 8 << 20,
		JetStream: true, StoreDir: filepath.Join(f.o.Dir, "nats"), SyncAlways: true,
	})
	if err != nil {
		return "", errors.Join(errors.New("start NATS"), err)
	}
	s.Start()
	f.stack.Push("NATS", func(context.Context) error {
		s.Shutdown()
		s.WaitForShutdown()
		return nil
	})
	if !s.ReadyForConnections(10 * time.Second) {
		return "", errors.New("NATS did not start within 10 s")
	}
	return s.ClientURL(), nil
}
