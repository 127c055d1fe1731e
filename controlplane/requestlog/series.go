package requestlog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
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

// maxSeriesRows bounds what is read for a Series.
const maxSeriesRows = 100_000

// SeriesQuery selects figures over time.
type SeriesQuery struct {
	StatsQuery
	Step Step
	// By is one of StatsBy, "" for no groups.
	By string
}

// Series are figures over time.
type Series struct {
	Total SeriesFigures
	// Points are those of all requests, the oldest first. Steps without requests
	// have none.
	Points []SeriesPoint
	// Groups are those of By, the one with the most requests first.
	Groups []SeriesGroup
}

// SeriesFigures are what was done.
type SeriesFigures struct {
	Requests, Errors, Tokens int64
	// CostPico is in pico-dollars.
	CostPico int64
	// P50TTFT and P95TTFT are in milliseconds; points of groups have none.
	P50TTFT, P95TTFT int64
}

// SeriesPoint is what was done in one step.
type SeriesPoint struct {
	Time time.Time
	SeriesFigures
}

// SeriesGroup is what one model, provider, endpoint or node did.
type SeriesGroup struct {
	Name string
	SeriesFigures
	Points []SeriesPoint
}

func (f *SeriesFigures) add(g *SeriesFigures) {
	f.Requests, f.Errors, f.Tokens, f.CostPico = f.Requests+g.Requests, f.Errors+g.Errors, f.Tokens+g.Tokens, f.CostPico+g.CostPico
}

func (f *SeriesFigures) percentiles(h histogram) {
	f.P50TTFT, f.P95TTFT = h.percentile(0.50), h.percentile(0.95)
}

// Series implements Store. The tables are read once for the sums, and once for
// the times to the first token.
func (l *log) Series(ctx context.Context, in SeriesQuery) (out Series, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("read a series: %w", err)
		}
	}()
	if in.By != "" && !slices.Contains(StatsBy(), in.By) {
		return out, fmt.Errorf("%w: by %q", ErrRejected, in.By)
	}
	in.minutes = in.Step == ByMinute
	groups := map[string]*SeriesGroup{}
	if err := l.seriesSums(ctx, &in, &out, groups); err != nil || len(out.Points) == 0 {
		return out, err
	}
	byStep, byGroup, err := l.firstTokens(ctx, &in)
	if err != nil {
		return out, err
	}
	for i := range out.Points {
		out.Points[i].percentiles(byStep[out.Points[i].Time.Format(time.RFC3339)])
	}
	out.Total.percentiles(merged(byStep))
	if in.By == "" {
		return out, nil
	}
	for name, g := range groups {
		g.percentiles(byGroup[name])
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b SeriesGroup) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

// names are the filters.
func (in *SeriesQuery) names() *Names {
	return &Names{Model: in.Model, Provider: in.Provider, Endpoint: in.Endpoint, Node: in.Node}
}

// seriesSums reads all but the times to the first token.
func (l *log) seriesSums(ctx context.Context, in *SeriesQuery, out *Series, groups map[string]*SeriesGroup) error {
	q := question{d: l.d}
	table, moment, name := in.usage(&q)
	// texts are made of the groups, not of the rows
	found, err := l.texts(ctx, "SELECT "+l.d.stepText("at")+", name, CAST(requests AS TEXT), CAST(errors AS TEXT), CAST(tokens AS TEXT), cost FROM (SELECT "+
		l.d.step(moment, in.Step)+" AS at, "+name+" AS name, sum(request_count) AS requests, sum(error_count) AS errors, sum(total_tokens) AS tokens, "+
		l.d.usageCost+" AS cost FROM "+table+q.clause()+" GROUP BY 1, 2) AS sums ORDER BY at, name LIMIT "+strconv.Itoa(maxSeriesRows), q.args...)
	if err != nil {
		return err
	}
	for _, cells := range found {
		var p SeriesPoint
		if p.Time, err = time.Parse(time.RFC3339, orEmpty(cells[0])); err != nil {
			return err
		}
		if err := numbers(cells[2:5], &p.Requests, &p.Errors, &p.Tokens); err != nil {
			return err
		}
		cost, err := l.d.money(cells[5])
		if err != nil {
			return err
		}
		if p.CostPico, err = parsePico(cost); err != nil {
			return err
		}
		out.add(p, orEmpty(cells[1]), groups)
	}
	return nil
}

// usage is where the figures come from but the times to the first token: the table, its column
// of time, and what the groups are by.
func (in *SeriesQuery) usage(q *question) (table, moment, name string) {
	name = cmp.Or(in.By, "CAST('' AS TEXT)")
	filters := in.names()
	dimension, ok := filters.dimension(in.By)
	if !q.d.byHour || in.minutes || !ok {
		table, _ = in.sources(q)
		in.where(q, "slot")
		return table, "slot", name
	}
	in.whereTime(q, "hour")
	q.dimension(dimension, filters)
	if in.By != "" {
		name = "name"
	}
	return "api_usage_by", "hour", name
}

// add counts what a group did in a step.
func (s *Series) add(p SeriesPoint, name string, groups map[string]*SeriesGroup) {
	if n := len(s.Points); n == 0 || !s.Points[n-1].Time.Equal(p.Time) {
		s.Points = append(s.Points, SeriesPoint{Time: p.Time})
	}
	s.Points[len(s.Points)-1].add(&p.SeriesFigures)
	s.Total.add(&p.SeriesFigures)
	g := groups[name]
	if g == nil {
		g = &SeriesGroup{Name: name}
		groups[name] = g
	}
	g.add(&p.SeriesFigures)
	g.Points = append(g.Points, p)
}

// merged sums histograms up.
func merged(list map[string]histogram) histogram {
	counts := map[int64]int64{}
	for _, h := range list {
		for i, bucket := range h.buckets {
			counts[bucket] += h.counts[i]
		}
	}
	var out histogram
	for bucket, n := range counts {
		out.buckets, out.counts = append(out.buckets, bucket), append(out.counts, n)
	}
	out.sort()
	return out
}
