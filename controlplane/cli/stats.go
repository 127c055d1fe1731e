package cli

import (
	"context"
	"strconv"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

const (
	defaultHours = 24
	maxHours     = 87_600 // what the daemon accepts
)

func statsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "stats", Usage: "show requests, tokens and latencies per hour",
		Description: help("", "gatewayctl stats", "gatewayctl stats --model demo --hours 2 -o json"),
		Flags: []urfave.Flag{
			textFlag("model", "only `MODEL`", ""),
			textFlag("provider", "only `PROVIDER`", ""),
			countFlag("hours", "show the last `HOURS`", defaultHours, maxHours),
		},
		Action: run(stats),
	}
}

func stats(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Stats(ctx, adminapi.StatsQuery{Model: in.text("model"), Provider: in.text("provider"), Hours: valueOf(in, "hours", defaultHours)})
	if err != nil {
		return err
	}
	return list(in, rows, statsColumns())
}

func statsColumns() []column[adminapi.StatsRow] {
	return []column[adminapi.StatsRow]{
		{name: "hour", text: func(r adminapi.StatsRow) string { return stamp(r.Hour) }},
		{name: "model_id", text: func(r adminapi.StatsRow) string { return r.ModelID }},
		{name: "provider", text: func(r adminapi.StatsRow) string { return r.Provider }},
		{name: "request_count", head: "REQUESTS", text: func(r adminapi.StatsRow) string { return whole(r.RequestCount) }, number: true},
		{name: "error_count", head: "ERRORS", text: func(r adminapi.StatsRow) string { return whole(r.ErrorCount) }, number: true, tint: errorTint},
		{name: "total_prompt_tokens", head: "PROMPT_TOKENS", text: func(r adminapi.StatsRow) string { return whole(r.TotalPromptTokens) }, number: true},
		{name: "total_completion_tokens", head: "COMPLETION_TOKENS", text: func(r adminapi.StatsRow) string { return whole(r.TotalCompletionTokens) }, number: true},
		{name: "total_cost_usd", head: "COST_USD", text: func(r adminapi.StatsRow) string { return r.TotalCostUSD }, number: true},
		{name: "avg_latency_ms", head: "AVG_MS", text: func(r adminapi.StatsRow) string { return strconv.FormatFloat(r.AvgLatencyMS, 'f', 0, 64) }, number: true},
		{name: "p50_latency_ms", head: "P50_MS", text: func(r adminapi.StatsRow) string { return whole(r.P50LatencyMS) }, number: true},
		{name: "p95_latency_ms", head: "P95_MS", text: func(r adminapi.StatsRow) string { return whole(r.P95LatencyMS) }, number: true},
		{name: "p99_latency_ms", head: "P99_MS", text: func(r adminapi.StatsRow) string { return whole(r.P99LatencyMS) }, number: true},
	}
}

func errorTint(r adminapi.StatsRow) tint {
	if r.ErrorCount > 0 {
		return doubt
	}
	return plain
}
