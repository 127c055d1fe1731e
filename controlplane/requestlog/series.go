package requestlog

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Step is what one point of a series is of.
type Step string

// The steps. Minutes come from the rows, the others from roll-ups.
const (
	ByMinute Step = "minute"
	ByHour   Step = "hour"
	ByDay    Step = "day" // of UTC
)

// SeriesQuery selects figures over time: at most MaxStatsRows of them, the newest.
type SeriesQuery struct {
	StatsQuery
	Step Step
	// By is one of StatsBy, whose Names have points of their own; "" sums up all.
	By    string
	Names []string
}

// SeriesRow is what one name of By did in one step.
type SeriesRow struct {
	Time  time.Time
	Group string
	Figures
}

// Series implements Store.
func (l *log) Series(ctx context.Context, in SeriesQuery) ([]SeriesRow, error) {
	in.minutes = in.Step == ByMinute
	group := "CAST('' AS TEXT)"
	if in.By != "" {
		if !slices.Contains(StatsBy(), in.By) {
			return nil, fmt.Errorf("%w: a series by %q", ErrRejected, in.By)
		}
		group, in.by, in.names = in.By, in.By, in.Names
	}
	names, found, err := l.figures(ctx, in.StatsQuery, []string{l.d.step("slot", in.Step), group}, []string{l.d.step("hour", in.Step), group})
	if err != nil {
		return nil, err
	}
	list := make([]SeriesRow, len(found))
	for i, name := range names {
		at, err := time.Parse(time.RFC3339, name[0])
		if err != nil {
			return nil, fmt.Errorf("read roll-ups: time: %w", err)
		}
		list[i] = SeriesRow{Time: at, Group: name[1], Figures: found[i]}
	}
	return list, nil
}

// Groups sums a period up by one of StatsBy, or in all for "". A period of
// minutes is taken by the minute, from the rows.
func (l *log) Groups(ctx context.Context, in SeriesQuery) ([]GroupStats, error) {
	in.minutes = in.Step == ByMinute
	if in.By != "" {
		return l.StatsOf(ctx, in.StatsQuery, in.By)
	}
	_, found, err := l.figures(ctx, in.StatsQuery, []string{"CAST('' AS TEXT)"}, []string{"CAST('' AS TEXT)"})
	list := make([]GroupStats, len(found))
	for i := range found {
		list[i].Figures = found[i]
	}
	return list, err
}
