package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// The longest periods that auto shows by the minute and by the hour, and the
// most points of a line: more than a screen has room for.
const (
	autoMinutes     = 3 * time.Hour
	autoHours       = 4 * 24 * time.Hour
	maxSeriesPoints = 400
)

// lengthOf is how long a step is.
func lengthOf(step requestlog.Step) time.Duration {
	switch step {
	case requestlog.ByMinute:
		return time.Minute
	case requestlog.ByHour:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}

func stepOf(text string, span time.Duration) requestlog.Step {
	switch {
	case text != "auto":
		return requestlog.Step(text)
	case span <= autoMinutes+time.Minute:
		return requestlog.ByMinute
	case span <= autoHours+time.Minute:
		return requestlog.ByHour
	default:
		return requestlog.ByDay
	}
}

// series answers with figures over time.
func (s *Server) series(ctx context.Context, in adminapi.SeriesQuery) (out adminapi.Series, err error) {
	since, err := moments("since", in.Since, time.UTC)
	if err != nil {
		return out, err
	}
	span := time.Since(since)
	q := requestlog.SeriesQuery{Step: stepOf(in.Step, span)}
	length := lengthOf(q.Step)
	points := int(span/length) + 2
	if points > maxSeriesPoints || in.By != "none" && points*in.Top > requestlog.MaxStatsRows {
		return out, badRequest("%d points by the %s are too many: a series has at most %d, and its groups %d together; take a later since, greater steps or a smaller top",
			points, q.Step, maxSeriesPoints, requestlog.MaxStatsRows)
	}
	q.StatsQuery = requestlog.StatsQuery{Since: since.UTC().Truncate(length), Model: in.Model, Provider: in.Provider, Endpoint: in.Endpoint, Node: in.Node}
	out = adminapi.Series{Step: string(q.Step), Since: q.Since}
	total, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.GroupStats, error) { return s.o.LogStore.Groups(ctx, q) })
	if err != nil {
		return out, err
	}
	out.Total.TotalCostUSD = "0"
	if len(total) > 0 {
		out.Total = seriesFigures(&total[0].Figures)
	}
	rows, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.SeriesRow, error) { return s.o.LogStore.Series(ctx, q) })
	if err != nil {
		return out, err
	}
	out.Points = seriesPoints(rows, "")
	if in.By == "none" {
		return out, nil
	}
	q.By = in.By
	out.Groups, out.GroupCount, err = s.seriesGroups(ctx, q, in.Top, in.Limit)
	return out, err
}

func (s *Server) seriesGroups(ctx context.Context, q requestlog.SeriesQuery, top, limit int) ([]adminapi.SeriesGroup, int, error) {
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.GroupStats, error) { return s.o.LogStore.Groups(ctx, q) })
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(found, func(a, b requestlog.GroupStats) int { return cmp.Compare(b.RequestCount, a.RequestCount) })
	out := make([]adminapi.SeriesGroup, min(len(found), limit))
	for i := range out {
		out[i] = adminapi.SeriesGroup{Group: found[i].Group, SeriesFigures: seriesFigures(&found[i].Figures)}
		if i < min(top, limit) {
			q.Names = append(q.Names, found[i].Group)
		}
	}
	if len(q.Names) == 0 {
		return out, len(found), nil
	}
	rows, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.SeriesRow, error) { return s.o.LogStore.Series(ctx, q) })
	if err != nil {
		return nil, 0, err
	}
	for i := range q.Names {
		out[i].Points = seriesPoints(rows, out[i].Group)
	}
	return out, len(found), nil
}

// seriesPoints are those of one group, the oldest first.
func seriesPoints(rows []requestlog.SeriesRow, group string) []adminapi.SeriesPoint {
	var out []adminapi.SeriesPoint
	for _, r := range slices.Backward(rows) {
		if r.Group == group {
			out = append(out, adminapi.SeriesPoint{Time: r.Time, SeriesFigures: seriesFigures(&r.Figures)})
		}
	}
	return out
}

func seriesFigures(f *requestlog.Figures) adminapi.SeriesFigures {
	return adminapi.SeriesFigures{
		RequestCount: f.RequestCount, ErrorCount: f.ErrorCount, TotalTokens: f.TotalTokens, TotalCostUSD: cmp.Or(f.TotalCostUSD, "0"), P50TTFTMS: f.P50TTFTMS, P95TTFTMS: f.P95TTFTMS,
	}
}
