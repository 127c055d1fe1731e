package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/settings"
	"github.com/hybridinference/gateway/shared/env"
)

// compareLogs is for dual writing: it counts both request logs.
func compareLogs(ctx context.Context, _ *env.Environment, s *settings.Compare, out io.Writer) error {
	both := s.Dual.Stores(s.Database.Config())
	now := time.Now()
	return compare(ctx, both[0], both[1], span{now.Add(-time.Duration(s.Span.Hours) * time.Hour), now.Add(-s.Span.Delay)}, s.Span.Repair, out)
}

// span is a part of the log.
type span struct{ since, until time.Time }

// compare counts both logs hour by hour.
func compare(ctx context.Context, first, second database.Config, s span, repair bool, out io.Writer) (err error) {
	dbA, err := database.Open(ctx, first)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dbA.Close()) }()
	dbB, err := database.Open(ctx, second)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dbB.Close()) }()
	a, b := requestlog.New(dbA), requestlog.New(dbB)
	hours := func() (inA, inB []requestlog.Hour, err error) {
		if inA, err = a.Hours(ctx, s.since, s.until); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", first.Backend, err)
		}
		if inB, err = b.Hours(ctx, s.since, s.until); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", second.Backend, err)
		}
		return inA, inB, nil
	}
	inA, inB, err := hours()
	if err != nil {
		return err
	}
	if repair {
		if err := copyMissing(ctx, a, b, s, different(inA, inB), out); err != nil {
			return err
		}
		if inA, inB, err = hours(); err != nil {
			return err
		}
	}
	list := different(inA, inB)
	for _, hour := range list {
		x, y := of(inA, hour), of(inB, hour)
		_, _ = fmt.Fprintf(out, "%s  %s: %d rows, %d tokens, %s USD  %s: %d rows, %d tokens, %s USD\n",
			hour, first.Backend, x.Rows, x.Tokens, x.CostUSD, second.Backend, y.Rows, y.Tokens, y.CostUSD)
	}
	if len(list) > 0 {
		return fmt.Errorf("%d hours differ; --compare-repair copies missing rows", len(list))
	}
	rows := int64(0)
	for _, h := range inA {
		rows += h.Rows
	}
	_, err = fmt.Fprintf(out, "%s and %s agree: %d rows since %s\n", first.Backend, second.Backend, rows, s.since.UTC().Format(time.RFC3339))
	return err
}

// different returns the hours that are not the same in both logs.
func different(a, b []requestlog.Hour) (hours []string) {
	for _, hour := range merged(a, b) {
		if of(a, hour) != of(b, hour) {
			hours = append(hours, hour)
		}
	}
	return hours
}

func merged(a, b []requestlog.Hour) (hours []string) {
	seen := map[string]bool{}
	for _, list := range [][]requestlog.Hour{a, b} {
		for _, h := range list {
			if !seen[h.Hour] {
				seen[h.Hour] = true
				hours = append(hours, h.Hour)
			}
		}
	}
	return hours
}

func of(list []requestlog.Hour, hour string) requestlog.Hour {
	for _, h := range list {
		if h.Hour == hour {
			return h
		}
	}
	return requestlog.Hour{Hour: hour, CostUSD: "0"}
}

// copyMissing gives each log the other's rows of the hours that differ: what it
// has already it skips.
func copyMissing(ctx context.Context, a, b requestlog.Store, s span, hours []string, out io.Writer) error {
	for _, way := range []struct{ from, to requestlog.Store }{{a, b}, {b, a}} {
		copied := 0
		for _, hour := range hours {
			begin, err := time.Parse(time.RFC3339, hour)
			if err != nil {
				return err
			}
			part := span{since: begin, until: begin.Add(time.Hour)}
			if part.since.Before(s.since) {
				part.since = s.since
			}
			if part.until.After(s.until) {
				part.until = s.until
			}
			n, err := copyRows(ctx, way.from, way.to, part)
			if copied += n; err != nil {
				return err
			}
		}
		_, _ = fmt.Fprintf(out, "%d rows copied\n", copied)
	}
	return nil
}

func copyRows(ctx context.Context, from, to requestlog.Store, s span) (copied int, err error) {
	q := requestlog.LogQuery{Since: s.since, Until: s.until, After: fmt.Sprintf("gen-%d-0", s.since.Unix()-1), Limit: requestlog.MaxLogRows}
	for {
		page, err := from.Logs(ctx, q)
		if err != nil || len(page) == 0 {
			return copied, err
		}
		rows := make([]*requestlog.Row, len(page))
		for i := range page {
			if rows[i], err = page[i].Row(); err != nil {
				return copied, err
			}
		}
		n, err := to.Insert(ctx, rows)
		if copied += n; err != nil {
			return copied, err
		}
		q.After = page[len(page)-1].RequestID()
	}
}
