package cli

import (
	"cmp"
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func usageCommand() *urfave.Command {
	return &urfave.Command{
		Name: "usage", Usage: "sum up requests, tokens and cost by model, provider, endpoint, node, key or user",
		Description: help("--since is a time such as 2030-01-31T00:00:00Z, or a duration back such as 90m or 7d. By model and provider, full hours are counted.",
			"gatewayctl usage", "gatewayctl usage --by key --since 7d -o json"),
		Flags: []urfave.Flag{
			choiceFlag("by", "group by `DIMENSION`: model, provider, endpoint, node, key or user", "model", "model", "provider", "endpoint", "node", "key", "user"),
			textFlag("since", "since `WHEN`", "24h"),
		},
		Action: run(usage),
	}
}

func usage(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	by := valueOf(in, "by", "model")
	rows, err := client.Usage(ctx, by, cmp.Or(in.text("since"), "24h"))
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminapi.UsageRow]{
		{name: "group", head: by, text: func(r adminapi.UsageRow) string { return r.Group }},
		{name: "request_count", head: "REQUESTS", text: func(r adminapi.UsageRow) string { return whole(r.RequestCount) }, number: true},
		{name: "error_count", head: "ERRORS", text: func(r adminapi.UsageRow) string { return whole(r.ErrorCount) }, number: true, tint: func(r adminapi.UsageRow) tint {
			if r.ErrorCount > 0 {
				return doubt
			}
			return plain
		}},
		{name: "prompt_tokens", text: func(r adminapi.UsageRow) string { return whole(r.PromptTokens) }, number: true},
		{name: "completion_tokens", text: func(r adminapi.UsageRow) string { return whole(r.CompletionTokens) }, number: true},
		{name: "cost_usd", text: func(r adminapi.UsageRow) string { return r.CostUSD }, number: true},
	})
}
