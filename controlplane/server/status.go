package server

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

// probeTime bounds the question to each store.
const probeTime = 2 * time.Second

// stores is how the parts behind the API do.
type stores struct{ database, logStore error }

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
		return adminapi.StoreError
	}
	return adminapi.StoreOK
}

func (s *Server) nodeCounts() adminapi.NodeCounts {
	live, stale := s.o.Nodes.Count()
	return adminapi.NodeCounts{Live: live, Stale: stale}
}

// health is for probes: anybody may ask, so it says nothing of the causes. It
// is 200 as long as the process works, since a restart would mend neither NATS
// nor a database.
func (s *Server) health(ctx context.Context, _ adminapi.None) (adminapi.Health, error) {
	found := s.probe(ctx)
	out := adminapi.Health{
		Status: adminapi.Healthy, Version: s.o.Version, Published: s.o.Publisher.Published().Release,
		NATS: s.natsStatus(), Database: word(found.database), LogStore: s.logStoreWord(found), Nodes: s.nodeCounts(),
	}
	if current := s.o.Publisher.Current(); current != nil {
		out.Release = current.Number
	}
	for _, p := range s.problems(found) {
		if !slices.Contains(out.Problems, p.Code) {
			out.Problems = append(out.Problems, p.Code)
		}
		if p.Code != adminapi.ProblemMissingSecret { // the others are served
			out.Status = adminapi.Degraded
		}
	}
	return out, nil
}

// Problems lists what is wrong, the most serious first.
func (s *Server) Problems(ctx context.Context) []adminapi.Problem { return s.problems(s.probe(ctx)) }

func (s *Server) logStoreWord(found stores) string {
	if s.o.LogStore == nil {
		return adminapi.StoreNone
	}
	return word(found.logStore)
}

func (s *Server) status(ctx context.Context, _ adminapi.None) (adminapi.Status, error) {
	found := s.probe(ctx)
	out := adminapi.Status{
		Version: s.o.Version, Started: s.started.UTC().Truncate(time.Second), Nodes: s.nodeCounts(), NATS: s.natsStatus(),
		Database: cause(word(found.database), found.database), LogStore: cause(s.logStoreWord(found), found.logStore),
		Published: s.o.Publisher.Published().Release,
	}
	if current := s.o.Publisher.Current(); current != nil {
		out.Release, out.Epoch, out.Models = current.Number, current.Epoch, len(current.Snapshot.Models)
		for i := range current.Snapshot.Models {
			out.Endpoints += len(current.Snapshot.Models[i].Endpoints)
		}
		out.Served = s.served(current.Snapshot.Models)
		out.Overrides = overrides(current)
	}
	if found.database == nil {
		out.Keys = s.liveKeys(ctx)
	}
	out.Rollouts, out.Canary = s.activeRollouts(), s.activeCanary()
	out.Problems = s.problems(found)
	return out, nil
}

// cause adds to a word what is wrong, for those who may know.
func cause(word string, err error) string {
	if err != nil {
		return word + ": " + err.Error()
	}
	return word
}

// liveKeys counts the keys that work; 0 also if the database does not answer.
func (s *Server) liveKeys(ctx context.Context) int {
	db, err := s.o.Publisher.State()
	if err != nil {
		return 0
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return 0
	}
	return len(table.Keys)
}
