// Package sinks collects usage events for every database that gets the request
// log: one collector each, which know nothing of each other, so that a slow
// database delays no other.
package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/collector"
	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/run"
	"github.com/hybridinference/gateway/shared/tracing"
)

// Options of Open; all but Retention are required.
type Options struct {
	NATS *nats.Conn
	// Databases get the log. Nodes are told what the first has committed.
	Databases []database.Config
	// Retention is how long what is stored is kept.
	Retention collector.Retention
	Version   string
	// Tracing sends spans of commits; nil for none.
	Tracing *tracing.Tracing
	Log     *slog.Logger
}

// Sinks are the databases and their collectors.
type Sinks struct {
	databases  []database.DB
	stores     []requestlog.Store
	collectors []*collector.Collector
}

// Open opens the databases and makes their collectors. The databases need not
// be up.
func Open(ctx context.Context, o Options) (*Sinks, error) {
	s := new(Sinks)
	for i, db := range o.Databases {
		if err := s.add(ctx, o, db, i == 0); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Sinks) add(ctx context.Context, o Options, c database.Config, primary bool) error {
	db, err := database.Open(ctx, c)
	if err != nil {
		return fmt.Errorf("request log: %w", err)
	}
	store := requestlog.New(db)
	s.databases, s.stores = append(s.databases, db), append(s.stores, store)
	options := collector.Options{NATS: o.NATS, Store: store, Name: c.Backend, Primary: primary, Retention: o.Retention, Tracing: o.Tracing, Logger: o.Log}
	if c.Backend == database.BackendD1 {
		// few and large requests: Cloudflare counts them, and takes 2 MB
		options.BatchRows, options.BatchBytes, options.BatchWait, options.Parallel = 2000, 900<<10, time.Second, 2
	}
	one, err := collector.New(options)
	if err != nil {
		return err
	}
	s.collectors = append(s.collectors, one)
	o.Log.Info("collecting", slog.String("store", c.Backend), slog.Bool("primary", primary), slog.String("version", o.Version))
	return nil
}

// AddTo registers the collectors as actors of g.
func (s *Sinks) AddTo(g *run.Group) {
	for i, c := range s.collectors {
		name := "collector"
		if i > 0 {
			name = "second collector"
		}
		g.Add(name, c.Run)
	}
}

// Primary is the first database's log, Read the one from which the log is read:
// the last database's.
func (s *Sinks) Primary() requestlog.Store { return s.stores[0] }

// Read is the log of the last database.
func (s *Sinks) Read() requestlog.Store { return s.stores[len(s.stores)-1] }

// Stores are all logs.
func (s *Sinks) Stores() []requestlog.Store { return s.stores }

// Status is how each collector is.
func (s *Sinks) Status() []collector.Status {
	out := make([]collector.Status, len(s.collectors))
	for i, c := range s.collectors {
		out[i] = c.Status()
	}
	return out
}

// Close closes the databases.
func (s *Sinks) Close() error {
	var errs []error
	for _, db := range s.databases {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
