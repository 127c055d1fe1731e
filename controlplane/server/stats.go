package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

const (
	defaultHours = 24
	// maxHours is ten years.
	maxHours = 87_600
	// statsTime bounds the query.
	statsTime = 30 * time.Second
)

func (s *Server) stats(r *http.Request) (any, error) {
	query, err := params(r, "model", "provider", "hours")
	if err != nil {
		return nil, err
	}
	hours, err := number(query, "hours", defaultHours, 1, maxHours)
	if err != nil {
		return nil, err
	}
	if s.o.LogStore == nil {
		return map[string]any{"error": "Database logging not configured"}, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), statsTime)
	defer cancel()
	rows, err := s.o.LogStore.Stats(ctx, requestlog.StatsQuery{
		Since: time.Now().Add(-time.Duration(hours) * time.Hour), Model: query["model"], Provider: query["provider"],
	})
	if err != nil {
		return nil, problemf(http.StatusServiceUnavailable, "the request log does not answer: %s", err)
	}
	if rows == nil {
		rows = []requestlog.StatsRow{}
	}
	return map[string]any{
		"period_hours": hours, "stats": rows,
		"filters": map[string]any{"model": given(query["model"]), "provider": given(query["provider"])},
	}, nil
}

// given is null for nothing.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// auditEntry is a line of /admin/audit.
type auditEntry struct {
	ID     uint64          `json:"id"`
	Time   time.Time       `json:"time"`
	Author string          `json:"author"`
	Action string          `json:"action"`
	Target string          `json:"target"`
	Reason string          `json:"reason"`
	Detail json.RawMessage `json:"detail"`
}

func (s *Server) audit(r *http.Request) (any, error) {
	limit, before, err := page(r)
	if err != nil {
		return nil, err
	}
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.AuditLog(r.Context(), limit, before)
	if err != nil {
		return nil, err
	}
	out := make([]auditEntry, len(found))
	for i, e := range found {
		detail, err := rawDetail(e.Detail)
		if err != nil {
			return nil, err
		}
		out[i] = auditEntry{e.ID, e.Time, e.Author, e.Action, e.Target, e.Reason, detail}
	}
	return out, nil
}

// rawDetail returns JSON as it is, other text as a string, nothing as null.
func rawDetail(text string) (json.RawMessage, error) {
	if text == "" {
		return json.RawMessage("null"), nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text), nil
	}
	return json.Marshal(text)
}
