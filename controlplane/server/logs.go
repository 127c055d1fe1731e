package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

const (
	defaultLogs = 100
	maxLogs     = requestlog.MaxLogRows
)

// logFilters are the parameters that select by a column.
func logFilters() map[string]string {
	return map[string]string{
		"id": "request_id", "model": "model_id", "provider": "provider", "endpoint": "endpoint", "node": "node", "key": "key_id", "user": "user_id",
		"session": "session_id", "outcome": "outcome",
	}
}

// logs answers with rows of the request log, newest first, or after an id.
func (s *Server) logs(r *http.Request) (any, error) {
	filters := logFilters()
	known := []string{"since", "until", "errors", "limit", "before", "after"}
	for name := range filters {
		known = append(known, name)
	}
	slices.Sort(known)
	query, err := params(r, known...)
	if err != nil {
		return nil, err
	}
	q := requestlog.LogQuery{Fields: map[string]string{}, Before: query["before"], After: query["after"]}
	if q.Limit, err = number(query, "limit", defaultLogs, 1, maxLogs); err != nil {
		return nil, err
	}
	if q.Since, err = moments(query, "since"); err != nil {
		return nil, err
	}
	if q.Until, err = moments(query, "until"); err != nil {
		return nil, err
	}
	if q.Before != "" && q.After != "" {
		return nil, badRequest("parameters before and after exclude each other")
	}
	switch query["errors"] {
	case "", "false":
	case "true", "1":
		q.Errors = true
	default:
		return nil, badRequest("parameter errors must be true or false, got %q", query["errors"])
	}
	for name, column := range filters {
		if text := query[name]; text != "" {
			q.Fields[column] = text
		}
	}
	found, err := inTime(r, s, func(ctx context.Context) ([]requestlog.LogRow, error) { return s.o.LogStore.Logs(ctx, q) })
	if found == nil && err == nil {
		found = []requestlog.LogRow{}
	}
	return found, err
}

// inTime asks the request log, within its time.
func inTime[T any](r *http.Request, s *Server, ask func(context.Context) (T, error)) (T, error) {
	var none T
	if s.o.LogStore == nil {
		return none, problemf(http.StatusServiceUnavailable, "there is no request log here")
	}
	ctx, cancel := context.WithTimeout(r.Context(), statsTime)
	defer cancel()
	out, err := ask(ctx)
	if errors.Is(err, requestlog.ErrRejected) {
		return none, badRequest("%s", strings.TrimPrefix(err.Error(), requestlog.ErrRejected.Error()+": "))
	}
	if err != nil {
		return none, problemf(http.StatusServiceUnavailable, "the request log does not answer: %s", err)
	}
	return out, nil
}

// moments reads a parameter that is a time, or a span back from now.
func moments(query map[string]string, name string) (time.Time, error) {
	text := query[name]
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Now().AddDate(0, 0, -int(n)), nil //nolint:gosec // 16 bits
		}
	}
	if span, err := time.ParseDuration(text); err == nil && span >= 0 {
		return time.Now().Add(-span), nil
	}
	return time.Time{}, badRequest("parameter %s must be a time such as 2030-01-31T00:00:00Z or a span back such as 90m or 7d, got %q", name, text)
}

// usage sums up what was used.
func (s *Server) usage(r *http.Request) (any, error) {
	query, err := params(r, "by", "since")
	if err != nil {
		return nil, err
	}
	if query["by"] == "" {
		query["by"] = requestlog.UsageBy()[0]
	}
	if query["since"] == "" {
		query["since"] = "24h"
	}
	since, err := moments(query, "since")
	if err != nil {
		return nil, err
	}
	found, err := inTime(r, s, func(ctx context.Context) ([]requestlog.UsageRow, error) {
		return s.o.LogStore.Usage(ctx, since, query["by"])
	})
	if found == nil && err == nil {
		found = []requestlog.UsageRow{}
	}
	return found, err
}

// content answers with what was asked and answered.
func (s *Server) content(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	found, err := inTime(r, s, func(ctx context.Context) (*requestlog.Content, error) {
		return s.o.LogStore.Content(ctx, r.PathValue("id"))
	})
	if err == nil && found == nil {
		err = problemf(http.StatusNotFound, "no content of %q is kept: nodes keep it with DB_STORE_FULL_CONTENT=true", r.PathValue("id"))
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}
