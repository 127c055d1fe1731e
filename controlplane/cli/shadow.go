package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func shadowCommand() *urfave.Command {
	return &urfave.Command{
		Name: "shadow", Usage: "compare shadow endpoints with what clients got",
		Description: help("", "gatewayctl shadow report demo"),
		Subcommands: []*urfave.Command{{
			Name: "report", Usage: "show what a model's shadows answered, beside the requests they are copies of", ArgsUsage: "MODEL",
			Description: help("Figures are of the requests that have a shadow, with both in the log: MAIN is what clients got, SHADOW what the shadow answered. Percentiles are by\n"+
				"nearest rank, within 6 % above 32 ms. Shadows count in no other report and against no key; logs search --shadow only lists them.",
				"gatewayctl shadow report demo", "gatewayctl shadow report demo --since 7d -o json"),
			Flags:  append([]urfave.Flag{textFlag("endpoint", "only the shadow `ENDPOINT`", "")}, spanFlags("24h")...),
			Action: run(reportShadows), BashComplete: completer(suggestModel),
		}},
	}
}

// shadowLine is a line of the comparison.
type shadowLine struct{ endpoint, metric, main, shadow string }

func reportShadows(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	report, err := client.Shadows(ctx, adminapi.ShadowQuery{
		Model: in.args[0], Endpoint: in.text("endpoint"), Since: valueOf(in, "since", "24h"), Until: valueOf(in, "until", ""),
	})
	if err != nil {
		return err
	}
	switch in.format() {
	case formatJSON, formatYAML:
		return in.show(report, nil)
	}
	var lines []shadowLine
	for i := range report.Shadows {
		lines = append(lines, shadowLines(&report.Shadows[i])...)
	}
	if len(lines) == 0 {
		_, _ = fmt.Fprintf(in.opts.Stderr, "%s has no shadow, and had none in this period\n", printable(report.Model))
	}
	return list(in, lines, []column[shadowLine]{
		{name: "endpoint", text: func(l shadowLine) string { return l.endpoint }},
		{name: "metric", text: func(l shadowLine) string { return l.metric }},
		{name: "main", text: func(l shadowLine) string { return l.main }, number: true},
		{name: "shadow", text: func(l shadowLine) string { return l.shadow }, number: true},
	})
}

// shadowLines lays one comparison out.
func shadowLines(c *adminapi.ShadowComparison) []shadowLine {
	m, s := &c.Main, &c.Shadow
	number := func(metric string, of func(*adminapi.ShadowSide) int64) shadowLine {
		return shadowLine{metric: metric, main: integer(of(m)), shadow: integer(of(s))}
	}
	counts := func(metric string, of func(*adminapi.ShadowSide) map[string]int64) shadowLine {
		return shadowLine{metric: metric, main: countsText(of(m)), shadow: countsText(of(s))}
	}
	pairs := func(metric string, n int64) shadowLine {
		return shadowLine{metric: metric, main: integer(n), shadow: integer(n)}
	}
	lines := []shadowLine{
		{metric: "share", shadow: c.Share},
		pairs("requests", c.Pairs),
		{metric: "unmatched", shadow: integer(c.Unmatched)},
		counts("endpoints", func(x *adminapi.ShadowSide) map[string]int64 { return x.Endpoints }),
		counts("statuses", func(x *adminapi.ShadowSide) map[string]int64 { return x.Statuses }),
		number("errors", func(x *adminapi.ShadowSide) int64 { return x.Errors }),
		number("p50_latency_ms", func(x *adminapi.ShadowSide) int64 { return x.P50LatencyMS }),
		number("p95_latency_ms", func(x *adminapi.ShadowSide) int64 { return x.P95LatencyMS }),
		number("p50_ttft_ms", func(x *adminapi.ShadowSide) int64 { return x.P50TTFTMS }),
		number("p95_ttft_ms", func(x *adminapi.ShadowSide) int64 { return x.P95TTFTMS }),
		number("prompt_tokens", func(x *adminapi.ShadowSide) int64 { return x.PromptTokens }),
		number("completion_tokens", func(x *adminapi.ShadowSide) int64 { return x.CompletionTokens }),
		number("reasoning_tokens", func(x *adminapi.ShadowSide) int64 { return x.ReasoningTokens }),
		number("cache_read_tokens", func(x *adminapi.ShadowSide) int64 { return x.CacheReadTokens }),
		{metric: "cost_usd", main: m.CostUSD, shadow: s.CostUSD},
		counts("finish_reasons", func(x *adminapi.ShadowSide) map[string]int64 { return x.FinishReasons }),
		pairs("same_finish_reason", c.SameFinish),
		number("tool_calls", func(x *adminapi.ShadowSide) int64 { return x.ToolCalls }),
		pairs("same_tool_calls", c.SameToolCalls),
		number("json_asked", func(x *adminapi.ShadowSide) int64 { return x.JSONAsked }),
		number("json_valid", func(x *adminapi.ShadowSide) int64 { return x.JSONValid }),
	}
	for i := range lines {
		lines[i].endpoint = c.Endpoint
	}
	return lines
}

// countsText writes counts by value, the most frequent first.
func countsText(counts map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return int(counts[b] - counts[a])
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = name + "=" + integer(counts[name])
	}
	return strings.Join(names, " ")
}
