package cli

import (
	"cmp"
	"context"
	"math/big"
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

const (
	defaultHours = 24
	maxHours     = 87_600 // what the daemon accepts
)

func statsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "stats", Usage: "show requests, tokens, latencies and time to the first token",
		Description: help("Percentiles are by nearest rank, within 6 % above 32 ms. Full hours are counted.",
			"gatewayctl stats", "gatewayctl stats --model demo --since 2h -o json", "gatewayctl stats --by endpoint --sort p95", "gatewayctl stats --by node --min-ms 5000 --sort ttft"),
		Flags: slices.Concat([]urfave.Flag{
			choiceFlag("by", "figures of each `DIMENSION`: hour (and model and provider), model, provider, endpoint or node", "hour", "hour", "model", "provider", "endpoint", "node"),
			choiceFlag("sort", "sort by `COLUMN`, the greatest first: requests, errors, tokens, cost, avg, p50, p95, p99 or ttft (p95)", "the time or the name",
				"requests", "errors", "tokens", "cost", "avg", "p50", "p95", "p99", "ttft"),
			textFlag("model", "only `MODEL`", ""),
			textFlag("provider", "only `PROVIDER`", ""),
			textFlag("endpoint", "only `ENDPOINT`, its full id", ""),
			textFlag("node", "only `NODE`", ""),
			countFlag("min-ms", "only requests that took at least `MS` milliseconds, as far back as the log has rows", 0, maxMS),
			rowsFlag(),
			hidden(countFlag("hours", "show the last `HOURS`", defaultHours, maxHours)),
		}, spanFlags("24h")),
		Action: run(stats),
	}
}

func stats(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	q := adminapi.StatsQuery{
		Model: in.text("model"), Provider: in.text("provider"), Endpoint: in.text("endpoint"), Node: in.text("node"),
		Hours: valueOf(in, "hours", 0), Since: valueOf(in, "since", ""), Until: valueOf(in, "until", ""), By: valueOf(in, "by", ""), MinMS: int64(valueOf(in, "min-ms", 0)),
	}
	if q.Hours != 0 && q.Since != "" {
		return usagef("stats: --since and --hours are mutually exclusive")
	}
	if q.Hours == 0 && q.Since == "" {
		q.Hours = defaultHours
	}
	order := valueOf(in, "sort", "")
	if q.By != "" && q.By != "hour" {
		groups, err := client.StatsOf(ctx, q)
		if err != nil {
			return err
		}
		sortFigures(groups, order, func(g adminapi.GroupStats) adminapi.Figures { return g.Figures })
		names := []column[adminapi.GroupStats]{{name: "group", head: strings.ToUpper(q.By), text: func(g adminapi.GroupStats) string { return g.Group }}}
		return list(in, first(in, groups), append(names, figureColumns(func(g adminapi.GroupStats) adminapi.Figures { return g.Figures })...))
	}
	rows, err := client.Stats(ctx, q)
	if err != nil {
		return err
	}
	sortFigures(rows, order, func(r adminapi.StatsRow) adminapi.Figures { return r.Figures })
	names := []column[adminapi.StatsRow]{
		{name: "hour", text: func(r adminapi.StatsRow) string { return stamp(r.Hour) }},
		{name: "model_id", text: func(r adminapi.StatsRow) string { return r.ModelID }},
		{name: "provider", spare: true, text: func(r adminapi.StatsRow) string { return r.Provider }},
	}
	return list(in, first(in, rows), append(names, figureColumns(func(r adminapi.StatsRow) adminapi.Figures { return r.Figures })...))
}

// sortFigures sorts stably, the greatest first; "" leaves the order.
func sortFigures[T any](rows []T, by string, of func(T) adminapi.Figures) {
	value := map[string]func(adminapi.Figures) float64{
		"requests": func(f adminapi.Figures) float64 { return float64(f.RequestCount) },
		"errors":   func(f adminapi.Figures) float64 { return float64(f.ErrorCount) },
		"tokens":   func(f adminapi.Figures) float64 { return float64(f.TotalTokens) },
		"avg":      func(f adminapi.Figures) float64 { return f.AvgLatencyMS },
		"p50":      func(f adminapi.Figures) float64 { return float64(f.P50LatencyMS) },
		"p95":      func(f adminapi.Figures) float64 { return float64(f.P95LatencyMS) },
		"p99":      func(f adminapi.Figures) float64 { return float64(f.P99LatencyMS) },
		"ttft":     func(f adminapi.Figures) float64 { return float64(f.P95TTFTMS) },
	}[by]
	switch {
	case by == "cost":
		slices.SortStableFunc(rows, func(a, b T) int { return compareDecimals(of(b).TotalCostUSD, of(a).TotalCostUSD) })
	case value != nil:
		slices.SortStableFunc(rows, func(a, b T) int { return cmp.Compare(value(of(b)), value(of(a))) })
	}
}

// compareDecimals compares exact decimals.
func compareDecimals(a, b string) int {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	if !okX || !okY {
		return cmp.Compare(a, b)
	}
	return x.Cmp(y)
}

func figureColumns[T any](of func(T) adminapi.Figures) []column[T] {
	number := func(name, head string, value func(adminapi.Figures) int64) column[T] {
		return column[T]{name: name, head: head, text: func(r T) string { return integer(value(of(r))) }, number: true}
	}
	spare := func(c column[T]) column[T] {
		c.spare = true
		return c
	}
	errors := number("error_count", "ERRORS", func(f adminapi.Figures) int64 { return f.ErrorCount })
	errors.tint = func(r T) tint {
		if of(r).ErrorCount > 0 {
			return doubt
		}
		return plain
	}
	return []column[T]{
		number("request_count", "REQUESTS", func(f adminapi.Figures) int64 { return f.RequestCount }),
		errors,
		spare(number("total_prompt_tokens", "PROMPT_TOKENS", func(f adminapi.Figures) int64 { return f.TotalPromptTokens })),
		spare(number("total_completion_tokens", "COMPLETION_TOKENS", func(f adminapi.Figures) int64 { return f.TotalCompletionTokens })),
		{name: "total_cost_usd", head: "COST_USD", text: func(r T) string { return of(r).TotalCostUSD }, number: true},
		{name: "avg_latency_ms", head: "AVG_MS", spare: true, text: func(r T) string { return strconv.FormatFloat(of(r).AvgLatencyMS, 'f', 0, 64) }, number: true},
		spare(number("p50_latency_ms", "P50_MS", func(f adminapi.Figures) int64 { return f.P50LatencyMS })),
		number("p95_latency_ms", "P95_MS", func(f adminapi.Figures) int64 { return f.P95LatencyMS }),
		spare(number("p99_latency_ms", "P99_MS", func(f adminapi.Figures) int64 { return f.P99LatencyMS })),
		spare(number("p50_ttft_ms", "P50_TTFT", func(f adminapi.Figures) int64 { return f.P50TTFTMS })),
		spare(number("p95_ttft_ms", "P95_TTFT", func(f adminapi.Figures) int64 { return f.P95TTFTMS })),
	}
}
