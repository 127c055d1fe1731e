package server

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
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
	until, err := moments("until", in.Until, time.UTC)
	if err != nil {
		return out, err
	}
	end := time.Now()
	if !until.IsZero() {
		end = until
	}
	span := max(0, end.Sub(since))
	q := requestlog.SeriesQuery{Step: stepOf(in.Step, span)}
	length := lengthOf(q.Step)
	if points := int(span/length) + 2; points > maxSeriesPoints {
		return out, badRequest("%d points by the %s are too many: a series has at most %d; take a later since or greater steps", points, q.Step, maxSeriesPoints)
	}
	q.StatsQuery = requestlog.StatsQuery{Since: since.UTC().Truncate(length), Until: until, Model: in.Model, Provider: in.Provider, Endpoint: in.Endpoint, Node: in.Node}
	out = adminapi.Series{Step: string(q.Step), Since: q.Since}
	if in.By != "none" {
		q.By = in.By
	}
	found, err := inTime(ctx, s, func(ctx context.Context) (requestlog.Series, error) { return s.o.LogStore.Series(ctx, q) })
	if err != nil {
		return out, err
	}
	out.Total, out.Points, out.GroupCount = seriesFigures(&found.Total), seriesPoints(found.Points), len(found.Groups)
	for i := range found.Groups[:min(len(found.Groups), in.Limit)] {
		g := &found.Groups[i]
		shown := adminapi.SeriesGroup{Group: g.Name, SeriesFigures: seriesFigures(&g.SeriesFigures)}
		if i < in.Top {
			shown.Points = seriesPoints(g.Points)
		}
		out.Groups = append(out.Groups, shown)
	}
	return out, nil
}

func seriesPoints(list []requestlog.SeriesPoint) []adminapi.SeriesPoint {
	out := make([]adminapi.SeriesPoint, len(list))
	for i := range list {
		out[i] = adminapi.SeriesPoint{Time: list[i].Time, SeriesFigures: seriesFigures(&list[i].SeriesFigures)}
	}
	return out
}

func seriesFigures(f *requestlog.SeriesFigures) adminapi.SeriesFigures {
	return adminapi.SeriesFigures{
		RequestCount: f.Requests, ErrorCount: f.Errors, TotalTokens: f.Tokens, TotalCostUSD: wire.FormatUSD(f.CostPico), P50TTFTMS: f.P50TTFT, P95TTFTMS: f.P95TTFT,
	}
}
