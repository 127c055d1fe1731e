package cli

import (
	"cmp"
	"context"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func seriesCommand() *urfave.Command {
	return &urfave.Command{
		Name: "series", Usage: "show requests, errors, tokens, cost and time to the first token over time",
		Description: help("The step is a minute up to three hours back, an hour up to four days, else a day of UTC. With --by, the five groups\n"+
			"with the most requests have lines of their own.",
			"gatewayctl series --since 1h", "gatewayctl series --since 30d --by model -o json"),
		Flags: append([]urfave.Flag{
			choiceFlag("step", "one line for each `STEP`: minute, hour or day", "by the period", "minute", "hour", "day"),
			choiceFlag("by", "also lines of each `DIMENSION`: model, provider, endpoint or node", "none", "model", "provider", "endpoint", "node"),
			textFlag("model", "only `MODEL`", ""),
			textFlag("provider", "only `PROVIDER`", ""),
			textFlag("endpoint", "only `ENDPOINT`, its full id", ""),
			textFlag("node", "only `NODE`", ""),
		}, spanFlags("24h")...),
		Action: run(series),
	}
}

// seriesLine is a point with its group, "" for all requests.
type seriesLine struct {
	Group string `json:"group"`
	adminapi.SeriesPoint
}

func series(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	found, err := adminclient.Call(ctx, client, adminapi.GetSeries(), adminapi.SeriesQuery{
		Since: valueOf(in, "since", "24h"), Until: valueOf(in, "until", ""), Step: valueOf(in, "step", ""), By: valueOf(in, "by", ""), Top: 5, Limit: 5,
		Model: in.text("model"), Provider: in.text("provider"), Endpoint: in.text("endpoint"), Node: in.text("node"),
	})
	if err != nil {
		return err
	}
	lines := []seriesLine{}
	add := func(group string, points []adminapi.SeriesPoint) {
		for _, p := range points {
			lines = append(lines, seriesLine{group, p})
		}
	}
	add("", found.Points)
	for _, g := range found.Groups {
		add(g.Group, g.Points)
	}
	number := func(name, head string, value func(*seriesLine) int64) column[seriesLine] {
		return column[seriesLine]{name: name, head: head, text: func(l seriesLine) string { return integer(value(&l)) }, number: true}
	}
	return list(in, lines, []column[seriesLine]{
		{name: "group", text: func(l seriesLine) string { return cmp.Or(l.Group, "all") }},
		{name: "time", text: func(l seriesLine) string { return l.Time.UTC().Format(time.RFC3339) }},
		number("request_count", "REQUESTS", func(l *seriesLine) int64 { return l.RequestCount }),
		number("error_count", "ERRORS", func(l *seriesLine) int64 { return l.ErrorCount }),
		number("total_tokens", "TOKENS", func(l *seriesLine) int64 { return l.TotalTokens }),
		{name: "total_cost_usd", head: "COST_USD", text: func(l seriesLine) string { return l.TotalCostUSD }, number: true},
		number("p50_ttft_ms", "P50_TTFT", func(l *seriesLine) int64 { return l.P50TTFTMS }),
		number("p95_ttft_ms", "P95_TTFT", func(l *seriesLine) int64 { return l.P95TTFTMS }),
	})
}
