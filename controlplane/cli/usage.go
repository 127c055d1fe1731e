package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"
	_ "time/tzdata" // --zone, also where the system has no time zones

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func usageCommand() *urfave.Command {
	return &urfave.Command{
		Name: "usage", Usage: "sum up requests, tokens and cost by model, key, user, team, day and more",
		Description: help("Sums are exact, to the second of --since and --until and to the last digit of the cost. A time is 2030-01-31T00:00:00Z, a date (which begins at\n"+
			"midnight in --zone), or a duration back such as 90m or 7d. What happens at --until is not included: May is --since 2030-05-01 --until 2030-06-01.",
			"gatewayctl usage", "gatewayctl usage --by key --since 7d -o json", "gatewayctl usage --by team,key --since 7d --sort cost", "gatewayctl usage --by key,day --since 2030-05-01 --until 2030-06-01 --zone Asia/Kolkata -o csv"),
		Flags: append([]urfave.Flag{
			choicesFlag("by", "group by one to three `DIMENSIONS`, separated by commas: model, provider, endpoint, node, key, user, team, and one of hour, day, week or month", "model",
				"model", "provider", "endpoint", "node", "key", "user", "team", "hour", "day", "week", "month"),
			momentFlag("since", "since `WHEN`, or all", "24h", "all"),
			momentFlag("until", "before `WHEN`", "now"),
			zoneFlag("zone", "IANA time `ZONE` of dates, and in which days begin"),
			choiceFlag("sort", "sort by `COLUMN`, the greatest first: requests, errors, tokens or cost", "requests, or the names of several dimensions", "requests", "errors", "tokens", "cost"),
			rowsFlag(),
		}, filterFlags("by its id")...),
		Action: run(usage),
	}
}

func usage(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	by := valueOf(in, "by", []string{"model"})
	rows, err := client.Usage(ctx, adminapi.UsageQuery{
		By: strings.Join(by, ","), Since: valueOf(in, "since", "24h"), Until: valueOf(in, "until", ""), Zone: valueOf(in, "zone", ""),
		Filters: in.filters(),
	})
	if err != nil {
		return err
	}
	order := valueOf(in, "sort", "")
	if order == "" && len(by) == 1 && rowName(by[0], adminapi.UsageRow{Period: "period"}) == "" {
		order = "requests"
	}
	sortUsage(rows, order)
	var columns []column[adminapi.UsageRow]
	for _, name := range by {
		columns = append(columns, column[adminapi.UsageRow]{name: name, text: func(r adminapi.UsageRow) string { return rowName(name, r) }})
		switch name {
		case "key":
			columns = append(columns, column[adminapi.UsageRow]{name: "key_name", text: func(r adminapi.UsageRow) string { return r.KeyName }})
		case "team":
			columns = append(columns, column[adminapi.UsageRow]{name: "team_name", text: func(r adminapi.UsageRow) string { return r.TeamName }})
		}
	}
	return list(in, first(in, rows), append(columns, usageColumns(in.format() == formatCSV || valueOf(in, "output", formatTable) == formatWide || !in.opts.StdoutTerminal)...))
}

// rowName returns what a row is by.
func rowName(by string, r adminapi.UsageRow) string {
	switch by {
	case "model":
		return r.Model
	case "provider":
		return r.Provider
	case "endpoint":
		return r.Endpoint
	case "node":
		return r.Node
	case "key":
		return r.Key
	case "user":
		return r.User
	case "team":
		return r.Team
	default:
		return r.Period
	}
}

// sortUsage sorts stably, the greatest first.
func sortUsage(rows []adminapi.UsageRow, by string) {
	value := map[string]func(adminapi.UsageRow) int64{
		"requests": func(r adminapi.UsageRow) int64 { return r.RequestCount },
		"errors":   func(r adminapi.UsageRow) int64 { return r.ErrorCount },
		"tokens":   func(r adminapi.UsageRow) int64 { return r.TotalTokens },
	}[by]
	switch {
	case by == "cost":
		slices.SortStableFunc(rows, func(a, b adminapi.UsageRow) int { return compareDecimals(b.CostUSD, a.CostUSD) })
	case value != nil:
		slices.SortStableFunc(rows, func(a, b adminapi.UsageRow) int { return cmp.Compare(value(b), value(a)) })
	}
}

// usageColumns are the figures; a file, or a wide table, has room for all of them.
func usageColumns(all bool) []column[adminapi.UsageRow] {
	type row = adminapi.UsageRow
	columns := []column[row]{
		{name: "request_count", head: "REQUESTS", text: func(r row) string { return integer(r.RequestCount) }, number: true},
		{name: "error_count", head: "ERRORS", text: func(r row) string { return integer(r.ErrorCount) }, number: true, tint: func(r row) tint {
			if r.ErrorCount > 0 {
				return doubt
			}
			return plain
		}},
		{name: "prompt_tokens", spare: true, text: func(r row) string { return integer(r.PromptTokens) }, number: true},
		{name: "completion_tokens", spare: true, text: func(r row) string { return integer(r.CompletionTokens) }, number: true},
	}
	if all {
		columns = append(
			columns,
			column[row]{name: "reasoning_tokens", spare: true, text: func(r row) string { return integer(r.ReasoningTokens) }},
			column[row]{name: "cache_read_tokens", spare: true, text: func(r row) string { return integer(r.CacheReadTokens) }},
			column[row]{name: "cache_write_tokens", spare: true, text: func(r row) string { return integer(r.CacheWriteTokens) }},
			column[row]{name: "total_tokens", text: func(r row) string { return integer(r.TotalTokens) }},
		)
	}
	return append(columns, column[row]{name: "cost_usd", text: func(r row) string { return r.CostUSD }, number: true})
}
