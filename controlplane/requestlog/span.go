package requestlog

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// slotTime is what one row of api_usage is of. All time zones in use are whole
// quarters of an hour off UTC.
const slotTime = 15 * time.Minute

// span is one period of a report.
type span struct {
	label        string
	since, until time.Time
}

// grain is what a part of a period is read from.
type grain int

const (
	ofRows  grain = iota
	ofSlots       // api_usage
	ofHours       // api_usage_by
)

// part is a piece of a period.
type part struct {
	since, until time.Time
	grain        grain
}

// parts cuts a period at the bounds of what it is read from: at best from so coarse a grain.
func (s span) parts(best grain) (list []part) {
	if !s.since.Before(s.until) {
		return nil
	}
	length := [...]time.Duration{ofRows: time.Second, ofSlots: slotTime, ofHours: time.Hour}[best]
	first, last := s.since.Add(length-1).Truncate(length), s.until.Truncate(length)
	if best == ofRows {
		return []part{{s.since, s.until, ofRows}}
	}
	if !first.Before(last) {
		return s.parts(best - 1)
	}
	list = span{since: s.since, until: first}.parts(best - 1)
	list = append(list, part{first, last, best})
	return append(list, span{since: last, until: s.until}.parts(best-1)...)
}

// spans returns the periods of a report, none if there is nothing to report.
func (l *log) spans(ctx context.Context, in *ReportQuery) ([]span, error) {
	zone := in.Zone
	if zone == nil {
		zone = time.UTC
	}
	since, until := in.Since.In(zone).Truncate(time.Second), in.Until.In(zone).Truncate(time.Second)
	if in.Since.IsZero() {
		found, err := l.texts(ctx, "SELECT "+l.d.column("min(slot)", kindSecond)+" FROM api_usage")
		if err != nil || len(found) == 0 || found[0][0] == nil {
			return nil, err
		}
		at, err := time.Parse(time.RFC3339, *found[0][0])
		if err != nil {
			return nil, err
		}
		since = at.In(zone)
	}
	if in.Until.IsZero() {
		until = time.Now().In(zone).Add(time.Minute).Truncate(time.Second) // clocks differ
	}
	i := slices.IndexFunc(in.By, func(by string) bool { return slices.Contains(periods(), by) })
	if i < 0 {
		if !since.Before(until) {
			return nil, nil
		}
		return []span{{"", since, until}}, nil
	}
	var list []span
	for at := since; at.Before(until); {
		label, next := period(at, in.By[i])
		if len(list) == MaxPeriods {
			return nil, fmt.Errorf("%w: more than %d periods of a %s", ErrRejected, MaxPeriods, in.By[i])
		}
		end := next
		if end.After(until) {
			end = until
		}
		list = append(list, span{label, at, end})
		at = next
	}
	return list, nil
}

// period returns the name of the hour, day, week or month of a moment, and when
// the next begins, in the moment's time zone.
func period(at time.Time, kind string) (label string, next time.Time) {
	year, month, day := at.Date()
	midnight := func(day int) time.Time { return time.Date(year, month, day, 0, 0, 0, 0, at.Location()) }
	switch kind {
	case "hour":
		// the clock may be set back or forth by a part of an hour
		begin := at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second)
		return begin.Format(time.RFC3339), begin.Add(time.Hour)
	case "week":
		monday := day - (int(at.Weekday())+6)%7
		return midnight(monday).Format(time.DateOnly), midnight(monday + 7)
	case "month":
		return at.Format("2006-01"), time.Date(year, month+1, 1, 0, 0, 0, 0, at.Location())
	default:
		return at.Format(time.DateOnly), midnight(day + 1)
	}
}
