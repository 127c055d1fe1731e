package server

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// statsTime bounds queries of the request log.
const statsTime = 30 * time.Second

func (s *Server) stats(ctx context.Context, in adminapi.StatsQuery) (adminapi.Stats, error) {
	if s.o.LogStore == nil {
		return adminapi.Stats{Error: "Database logging not configured"}, nil
	}
	rows, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.StatsRow, error) {
		return s.o.LogStore.Stats(ctx, requestlog.StatsQuery{
			Since: time.Now().Add(-time.Duration(in.Hours) * time.Hour), Model: in.Model, Provider: in.Provider,
		})
	})
	if err != nil {
		return adminapi.Stats{}, err
	}
	out := adminapi.Stats{
		PeriodHours: in.Hours, Stats: make([]adminapi.StatsRow, len(rows)),
		Filters: &adminapi.StatsFilters{Model: given(in.Model), Provider: given(in.Provider)},
	}
	for i, row := range rows {
		f := &row.Figures
		out.Stats[i] = adminapi.StatsRow{
			Hour: row.Hour, ModelID: row.ModelID, Provider: row.Provider, RequestCount: f.RequestCount, SuccessCount: f.SuccessCount, ErrorCount: f.ErrorCount,
			TotalPromptTokens: f.TotalPromptTokens, TotalCompletionTokens: f.TotalCompletionTokens, TotalTokens: f.TotalTokens, TotalCostUSD: f.TotalCostUSD,
			AvgLatencyMS: f.AvgLatencyMS, P50LatencyMS: f.P50LatencyMS, P95LatencyMS: f.P95LatencyMS, P99LatencyMS: f.P99LatencyMS,
			P50TTFTMS: f.P50TTFTMS, P95TTFTMS: f.P95TTFTMS, P99TTFTMS: f.P99TTFTMS,
		}
	}
	return out, nil
}

// given is null for nothing.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (s *Server) audit(ctx context.Context, in adminapi.Page) ([]adminapi.AuditEntry, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	found, err := db.AuditLog(ctx, in.Limit, in.Before)
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.AuditEntry, len(found))
	for i, e := range found {
		detail, err := rawDetail(e.Detail)
		if err != nil {
			return nil, err
		}
		out[i] = adminapi.AuditEntry{ID: e.ID, Time: e.Time, Author: e.Author, Action: e.Action, Target: e.Target, Reason: e.Reason, Detail: detail}
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
