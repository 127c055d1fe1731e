package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// probeTime bounds the question to each store.
const probeTime = 2 * time.Second

// stores is how the parts behind the API do.
type stores struct{ database, logStore error }

const (
	okay     = "ok"
	failing  = "error"
	unwanted = "none"
)

// probe asks both databases at once.
func (s *Server) probe(ctx context.Context) stores {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var out stores
	var both sync.WaitGroup
	both.Go(func() { out.database = s.probeState(ctx) })
	both.Go(func() {
		if s.o.LogStore != nil {
			out.logStore = s.o.LogStore.Health(ctx)
		}
	})
	both.Wait()
	return out
}

func (s *Server) probeState(ctx context.Context) error {
	db, err := s.o.Publisher.State()
	if err != nil {
		return err
	}
	return db.Health(ctx)
}

func (s *Server) natsStatus() string { return strings.ToLower(s.o.Conn.Status().String()) }

func word(err error) string {
	if err != nil {
		return failing
	}
	return okay
}

// nodeCounts are the nodes by how fresh they are.
type nodeCounts struct {
	Live  int `json:"live"`
	Stale int `json:"stale"`
}

func (s *Server) nodeCounts() nodeCounts {
	live, stale := s.o.Nodes.Count()
	return nodeCounts{live, stale}
}

// health is for probes: anybody may ask, so it says nothing of the causes. It
// is 200 as long as the process works, since a restart would mend neither NATS
// nor a database.
func (s *Server) health(r *http.Request) (any, error) {
	found := s.probe(r.Context())
	release := uint64(0)
	if current := s.o.Publisher.Current(); current != nil {
		release = current.Number
	}
	status := "healthy"
	if !s.o.Conn.IsConnected() || found.database != nil || found.logStore != nil || release == 0 {
		status = "degraded"
	}
	return map[string]any{
		"status": status, "version": s.o.Version, "release": release, "published_release": s.o.Publisher.Published().Release,
		"nats": s.natsStatus(), "database": word(found.database), "log_store": s.logStoreWord(found), "nodes": s.nodeCounts(),
	}, nil
}

func (s *Server) logStoreWord(found stores) string {
	if s.o.LogStore == nil {
		return unwanted
	}
	return word(found.logStore)
}

func (s *Server) status(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	found := s.probe(r.Context())
	out := map[string]any{
		"version": s.o.Version, "started": s.started.UTC().Truncate(time.Second), "nodes": s.nodeCounts(), "nats": s.natsStatus(),
		"database": cause(word(found.database), found.database), "log_store": cause(s.logStoreWord(found), found.logStore),
		"release": 0, "epoch": 0, "models": 0, "endpoints": 0, "keys": 0, "published_release": s.o.Publisher.Published().Release,
	}
	if current := s.o.Publisher.Current(); current != nil {
		endpoints := 0
		for i := range current.Snapshot.Models {
			endpoints += len(current.Snapshot.Models[i].Endpoints)
		}
		out["release"], out["epoch"] = current.Number, current.Epoch
		out["models"], out["endpoints"] = len(current.Snapshot.Models), endpoints
	}
	if found.database == nil {
		out["keys"] = s.liveKeys(r)
	}
	return out, nil
}

// cause adds to a word what is wrong, for those who may know.
func cause(word string, err error) string {
	if err != nil {
		return word + ": " + err.Error()
	}
	return word
}

// liveKeys counts the keys that work; 0 also if nobody can tell.
func (s *Server) liveKeys(r *http.Request) int {
	db, err := s.o.Publisher.State()
	if err != nil {
		return 0
	}
	table, err := db.KeyTable(r.Context())
	if err != nil {
		return 0
	}
	return len(table.Keys)
}
