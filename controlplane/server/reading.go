package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
)

const (
	// searchEvery is how often the same search of the same author is recorded:
	// pages and looks of logs tail are one.
	searchEvery = 10 * time.Minute
	// maxSearches limits what is remembered for that.
	maxSearches = 1000
)

// searches are those that were recorded lately.
type searches struct {
	mu    sync.Mutex
	times map[[2]string]time.Time
}

// fresh reports whether a search is to be recorded.
func (s *searches) fresh(author, text string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.times[[2]string{author, text}]
	return !ok || now.Sub(at) >= searchEvery
}

func (s *searches) recorded(author, text string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == nil || len(s.times) >= maxSearches {
		s.times = map[[2]string]time.Time{}
	}
	s.times[[2]string{author, text}] = now
}

// auditSearch records a search in prompts and answers.
func (s *Server) auditSearch(ctx context.Context, by adminapi.ByAuthor, text string) error {
	now := time.Now()
	if text == "" || !s.searches.fresh(by.Author, text, now) {
		return nil
	}
	if err := s.auditReading(ctx, entry(by, "", "content.search", text)); err != nil {
		return err
	}
	s.searches.recorded(by.Author, text, now)
	return nil
}

// auditReading records that prompts or answers are read. What cannot be recorded
// is not read.
func (s *Server) auditReading(ctx context.Context, e controlstate.Entry) error {
	db, err := s.o.Publisher.State()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), auditTime)
	defer cancel()
	if err := db.Audit(ctx, e); err != nil {
		return problemf(http.StatusServiceUnavailable, "the audit log does not answer, and contents are not read without a record: %s", err)
	}
	return nil
}
