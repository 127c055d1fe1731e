package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// logs answers with rows of the request log, newest first, or after an id.
func (s *Server) logs(ctx context.Context, in adminapi.LogQuery) ([]adminapi.LogRow, error) {
	q := requestlog.LogQuery{
		Filters: s.filtersOf(ctx, in.Filters), Session: in.Session, Outcome: in.Outcome, ID: in.ID, Text: in.Text, MinMS: in.MinMS, Before: in.Before, After: in.After, Errors: in.Errors, Shadow: in.Shadow, Limit: in.Limit,
	}
	var err error
	if q.Since, err = moments("since", in.Since, time.UTC); err != nil {
		return nil, err
	}
	if q.Until, err = moments("until", in.Until, time.UTC); err != nil {
		return nil, err
	}
	if q.Before != "" && q.After != "" {
		return nil, badRequest("parameters before and after are mutually exclusive")
	}
	if in.Text != "" {
		if err := requireRole(identity(ctx), adminapi.RoleAdmin, "a search in prompts and answers"); err != nil {
			return nil, err
		}
	}
	if err := s.auditSearch(ctx, in.ByAuthor, in.Text); err != nil {
		return nil, err
	}
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.LogRow, error) { return s.o.LogStore.Logs(ctx, q) })
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.LogRow, len(found))
	for i := range found {
		if out[i].Raw, err = json.Marshal(found[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inTime queries the request log, within its time.
func inTime[T any](ctx context.Context, s *Server, query func(context.Context) (T, error)) (T, error) {
	return within(ctx, s, statsTime, query)
}

// within does it with another limit.
func within[T any](ctx context.Context, s *Server, limit time.Duration, query func(context.Context) (T, error)) (T, error) {
	var none T
	if s.o.LogStore == nil {
		return none, problemf(http.StatusServiceUnavailable, "the request log is not configured")
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := query(ctx)
	if errors.Is(err, requestlog.ErrRejected) {
		return none, badRequest("%s", strings.TrimPrefix(err.Error(), requestlog.ErrRejected.Error()+": "))
	}
	if err != nil {
		return none, problemf(http.StatusServiceUnavailable, "the request log is unavailable: %s", err)
	}
	return out, nil
}

// moments reads a parameter that is a time, a date in a time zone, or a span
// back from now.
func moments(name, text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return at, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Now().AddDate(0, 0, -int(n)), nil
		}
	}
	if span, err := time.ParseDuration(text); err == nil && span >= 0 {
		return time.Now().Add(-span), nil
	}
	return time.Time{}, badRequest("parameter %s must be a time such as 2030-01-31T00:00:00Z, a date or a duration back such as 90m or 7d, got %q", name, text)
}

// usage sums up what was used.
func (s *Server) usage(ctx context.Context, in adminapi.UsageQuery) ([]adminapi.UsageRow, error) {
	q := requestlog.ReportQuery{By: strings.Split(in.By, ","), Filters: s.filtersOf(ctx, in.Filters)}
	var err error
	if q.Zone, err = time.LoadLocation(in.Zone); err != nil || in.Zone == "Local" {
		return nil, badRequest("parameter zone must be an IANA time zone such as Asia/Kolkata, got %q", in.Zone)
	}
	if in.Since != "all" {
		if q.Since, err = moments("since", in.Since, q.Zone); err != nil {
			return nil, err
		}
	}
	if q.Until, err = moments("until", in.Until, q.Zone); err != nil {
		return nil, err
	}
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.ReportRow, error) { return s.o.LogStore.Report(ctx, q) })
	if err != nil {
		return nil, err
	}
	names := s.usageNames(ctx, q.By)
	out := make([]adminapi.UsageRow, len(found))
	for i, r := range found {
		out[i] = adminapi.UsageRow{
			Group: r.Name(q.By[0]), Period: r.Period, Model: r.Model, Provider: r.Provider, Endpoint: r.Endpoint, Node: r.Node, Key: r.Key, User: r.User, Team: r.Team, KeyName: names[r.Key], TeamName: names[r.Team],
			RequestCount: r.RequestCount, ErrorCount: r.ErrorCount, PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, ReasoningTokens: r.ReasoningTokens,
			CacheReadTokens: r.CacheReadTokens, CacheWriteTokens: r.CacheWriteTokens, TotalTokens: r.TotalTokens, CostUSD: r.CostUSD,
		}
	}
	return out, nil
}

// content answers with what was asked and answered. It is shown only if the audit
// log says so.
func (s *Server) content(ctx context.Context, in adminapi.ContentQuery) (adminapi.Content, error) {
	found, err := inTime(ctx, s, func(ctx context.Context) (*requestlog.Content, error) { return s.o.LogStore.Content(ctx, in.ID) })
	if err == nil && found == nil {
		err = problemf(http.StatusNotFound, "no content is stored for %q: nodes store it with DB_STORE_FULL_CONTENT=true", in.ID)
	}
	if err == nil {
		err = s.auditReading(ctx, entry(in.ByAuthor, "", "content.read", in.ID))
	}
	if err != nil {
		return adminapi.Content{}, err
	}
	return adminapi.Content(*found), nil
}
