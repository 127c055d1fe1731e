package server

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// statsTime bounds queries of the request log.
const statsTime = 30 * time.Second

func (s *Server) stats(ctx context.Context, in adminapi.StatsQuery) (adminapi.Stats, error) {
	if s.o.LogStore == nil {
		return adminapi.Stats{Error: "Database logging not configured"}, nil
	}
	since, until, err := statsPeriod(&in)
	if err != nil {
		return adminapi.Stats{}, err
	}
	q := requestlog.StatsQuery{
		Since: since, Until: until, Model: in.Model, Provider: in.Provider, Endpoint: in.Endpoint, Node: in.Node,
		MinMS: in.MinMS,
	}
	out := adminapi.Stats{PeriodHours: in.Hours, Filters: &adminapi.StatsFilters{Model: given(in.Model), Provider: given(in.Provider)}}
	if in.By != "hour" {
		found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.GroupStats, error) { return s.o.LogStore.StatsOf(ctx, q, in.By) })
		if err != nil {
			return adminapi.Stats{}, err
		}
		out.Groups = make([]adminapi.GroupStats, len(found))
		for i, row := range found {
			out.Groups[i] = adminapi.GroupStats{Group: row.Group, Figures: adminapi.Figures(row.Figures)}
		}
		return out, nil
	}
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.StatsRow, error) { return s.o.LogStore.Stats(ctx, q) })
	if err != nil {
		return adminapi.Stats{}, err
	}
	out.Stats = make([]adminapi.StatsRow, len(found))
	for i, row := range found {
		out.Stats[i] = adminapi.StatsRow{Hour: row.Hour, ModelID: row.ModelID, Provider: row.Provider, Figures: adminapi.Figures(row.Figures)}
	}
	return out, nil
}

// statsPeriod returns the period of the figures, and sets how many hours it has.
func statsPeriod(in *adminapi.StatsQuery) (since, until time.Time, err error) {
	if until, err = moments("until", in.Until, time.UTC); err != nil {
		return since, until, err
	}
	if in.Since == "" {
		return time.Now().Add(-time.Duration(in.Hours) * time.Hour), until, nil
	}
	if since, err = moments("since", in.Since, time.UTC); err != nil {
		return since, until, err
	}
	end := until
	if end.IsZero() {
		end = time.Now()
	}
	in.Hours = max(0, int(math.Ceil(end.Sub(since).Hours())))
	return since, until, nil
}

// given is null for nothing.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (s *Server) audit(ctx context.Context, in adminapi.AuditQuery) ([]adminapi.AuditEntry, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	q := controlstate.AuditQuery{Limit: in.Limit, Before: in.Before}
	if q.Since, err = moments("since", in.Since, time.UTC); err != nil {
		return nil, err
	}
	if q.Until, err = moments("until", in.Until, time.UTC); err != nil {
		return nil, err
	}
	found, err := db.AuditLog(ctx, q)
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
