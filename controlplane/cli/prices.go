package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

func pricesCommand() *urfave.Command {
	return &urfave.Command{
		Name: "prices", Usage: "show and compare prices, and apply them to stored requests",
		Description: help("", "gatewayctl prices show demo", "gatewayctl prices reprice --since 2030-05-01 --until 2030-06-01 --dry-run"),
		Subcommands: []*urfave.Command{
			{
				Name: "show", Usage: "show the prices in service", ArgsUsage: "[MODEL]",
				Description: help("USD per million tokens, and USD each for images, requests, searches and server tools. Each line holds for a period, a service tier and prompts\n"+
					"from a size on. VERSION is what rows of the log have as price_version. ? marks what has no price, and with = what is used in its place.",
					"gatewayctl prices show", "gatewayctl prices show demo -o json"),
				Action: run(showPrices), BashComplete: completer(suggestModel),
			},
			{
				Name: "diff", Usage: "show how the prices of two releases differ", ArgsUsage: "RELEASE [RELEASE]",
				Description: help("A single release is compared with its predecessor, two releases from the first to the second.", "gatewayctl prices diff 2", "gatewayctl prices diff 1 2"),
				Action:      run(diffPrices), BashComplete: completer(suggestRelease),
			},
			{
				Name: "reprice", Usage: "compute the cost of stored requests again",
				Description: help("Recomputes cost_usd of the rows of a period from their usage, and corrects all sums. The first cost stays in original_cost_usd. Batches are\n"+
					"transactions: after an interruption repeat the command, or go on with --after. A second run changes nothing. Each run is in the audit log.",
					"gatewayctl prices reprice --since 2030-05-01 --until 2030-06-01 --dry-run", "gatewayctl prices reprice --since 7d --reason 'wrong price of glm-4.6'"),
				Flags: []urfave.Flag{
					momentFlag("since", "since `WHEN`", "required"), momentFlag("until", "before `WHEN`", "now"),
					choiceFlag("prices", "`WHICH` prices: current, or recorded for those of the releases in service at the time", "current", "current", "recorded"),
					textFlag("after", "go on after `POSITION`, from an interrupted run", ""), switchFlag("dry-run", "only show what would change"), reasonFlag(),
				},
				Action: run(reprice),
			},
		},
	}
}

func showPrices(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	model := ""
	if len(in.args) > 0 {
		model = in.args[0]
	}
	rows, err := client.Prices(ctx, model)
	if err != nil {
		return err
	}
	when := func(at *time.Time) string {
		if at == nil {
			return ""
		}
		return stamp(*at)
	}
	return list(in, rows, []column[adminapi.Price]{
		{name: "endpoint", text: func(p adminapi.Price) string { return p.Endpoint }},
		{name: "version", spare: true, text: func(p adminapi.Price) string { return p.Version }},
		{name: "from", spare: true, text: func(p adminapi.Price) string { return when(p.From) }},
		{name: "until", spare: true, text: func(p adminapi.Price) string { return when(p.Until) }},
		{name: "service_tier", spare: true, text: func(p adminapi.Price) string { return p.ServiceTier }},
		{name: "min_prompt_tokens", spare: true, text: func(p adminapi.Price) string { return integer(p.MinPrompt) }, number: true},
		{name: "prices", text: pricesText},
	})
}

// pricesText writes all prices in one line.
func pricesText(p adminapi.Price) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(p.Prices)) {
		mark := ""
		if slices.Contains(p.Unknown, name) {
			mark = "?"
		}
		words = append(words, name+mark+"="+p.Prices[name])
	}
	for _, name := range p.Unknown {
		if _, standsIn := p.Prices[name]; !standsIn {
			words = append(words, name+"?")
		}
	}
	return strings.Join(words, " ")
}

// PriceChange is an endpoint whose prices differ between two releases.
type PriceChange struct {
	Endpoint string `json:"endpoint"`
	Before   string `json:"before"`
	After    string `json:"after"`
}

func diffPrices(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	from, to, err := in.twoReleases()
	if err != nil {
		return err
	}
	if from == 0 {
		if from = to - 1; from == 0 {
			return usagef("prices diff: release 1 has no predecessor, specify two releases")
		}
	}
	var lists [2]map[string]string
	for i, number := range []uint64{from, to} {
		document, err := client.Release(ctx, number)
		if err != nil {
			return err
		}
		var r wire.Release
		if err := json.Unmarshal(document, &r); err != nil {
			return fmt.Errorf("read release %d: %w", number, err)
		}
		if lists[i], err = priceTexts(&r.Snapshot); err != nil {
			return err
		}
	}
	endpoints := maps.Clone(lists[0])
	maps.Copy(endpoints, lists[1])
	var rows []PriceChange
	for _, e := range slices.Sorted(maps.Keys(endpoints)) {
		if before, after := lists[0][e], lists[1][e]; before != after {
			rows = append(rows, PriceChange{e, cmp.Or(before, "(no endpoint)"), cmp.Or(after, "(no endpoint)")})
		}
	}
	return list(in, rows, []column[PriceChange]{
		{name: "endpoint", text: func(p PriceChange) string { return p.Endpoint }},
		{name: "before", text: func(p PriceChange) string { return p.Before }},
		{name: "after", text: func(p PriceChange) string { return p.After }},
	})
}

// priceTexts returns the price list of each endpoint as it was written.
func priceTexts(s *wire.Snapshot) (map[string]string, error) {
	out := map[string]string{}
	for i := range s.Models {
		for j := range s.Models[i].Endpoints {
			e := &s.Models[i].Endpoints[j]
			text, err := json.Marshal(e.Pricing)
			if err != nil {
				return nil, err
			}
			list, err := price.New(e.Pricing)
			if err != nil {
				return nil, fmt.Errorf("endpoint %s: %w", e.ID, err)
			}
			out[e.ID] = list.Now(time.Now()).Version + " " + string(text)
		}
	}
	return out, nil
}

func reprice(ctx context.Context, in *invocation) error {
	since := valueOf(in, "since", "")
	if since == "" {
		return usagef("reprice: --since is required")
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	// all calls of the run have the same bounds
	now := time.Now()
	q := adminapi.Repricing{
		Reason: in.text("reason"), Since: fixed(since, now), Until: cmp.Or(fixed(valueOf(in, "until", ""), now), now.UTC().Truncate(time.Second).Format(time.RFC3339)),
		Prices: valueOf(in, "prices", "current"), After: in.text("after"), DryRun: in.Bool("dry-run"),
	}
	sum, err := repriceAll(ctx, q, client.Reprice, func(done adminapi.Repriced) {
		if in.opts.StderrTerminal {
			_, _ = fmt.Fprintf(in.opts.Stderr, "%s%d rows, %d changed, at %s", clearLine, done.Rows, done.Changed, printable(done.Next))
		}
	})
	if in.opts.StderrTerminal {
		_, _ = fmt.Fprint(in.opts.Stderr, clearLine)
	}
	if err != nil && sum.Next != "" {
		return fmt.Errorf("%w; %d rows are done, go on with --since %s --until %s --after %s", err, sum.Rows, q.Since, q.Until, sum.Next)
	}
	if err != nil {
		return err
	}
	return in.show(sum, func(w io.Writer) error {
		verb := "changed"
		if q.DryRun {
			verb = "would change"
		}
		_, err := fmt.Fprintf(w, "%d of %d rows %s: %s USD before, %s USD after; %d rows of endpoints without prices\n",
			sum.Changed, sum.Rows, verb, sum.Before, sum.After, sum.Unlisted)
		return err
	})
}

// repriceAll repeats the call until all is done. After an error the sum is of
// what was done, and its Next where to go on.
func repriceAll(ctx context.Context, q adminapi.Repricing, call func(context.Context, adminapi.Repricing) (adminapi.Repriced, error), each func(adminapi.Repriced)) (adminapi.Repriced, error) {
	sum := adminapi.Repriced{Before: "0", After: "0", Next: q.After}
	for {
		done, err := call(ctx, q)
		if err != nil {
			return sum, err
		}
		sum.Rows, sum.Unlisted, sum.Changed = sum.Rows+done.Rows, sum.Unlisted+done.Unlisted, sum.Changed+done.Changed
		sum.Before, sum.After, sum.Next = addDecimals(sum.Before, done.Before), addDecimals(sum.After, done.After), done.Next
		if done.Next == "" {
			return sum, nil
		}
		each(sum)
		q.After = done.Next
	}
}

// fixed turns a duration back into the time that it means.
func fixed(text string, now time.Time) string {
	span, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, daysErr := strconv.ParseUint(days, 10, 16)
		span, err = time.Duration(n)*24*time.Hour, daysErr
	}
	if err != nil {
		return text
	}
	return now.Add(-span).UTC().Truncate(time.Second).Format(time.RFC3339)
}

// addDecimals adds exact decimals; what is none counts as 0.
func addDecimals(a, b string) string {
	sum := new(big.Rat)
	for _, text := range []string{a, b} {
		if n, ok := new(big.Rat).SetString(text); ok {
			sum.Add(sum, n)
		}
	}
	return strings.TrimSuffix(strings.TrimRight(sum.FloatString(12), "0"), ".")
}
