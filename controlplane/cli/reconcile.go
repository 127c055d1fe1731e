package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/controlplane/reconcile"
)

func reconcileCommand() *urfave.Command {
	return &urfave.Command{
		Name: "reconcile", Usage: "compare a provider's usage export with the request log", ArgsUsage: "FILE...",
		Description: help("Shows requests, tokens and cost by day and model: the provider's, ours, the gap (theirs less ours) and what explains it. FILE is - for the standard input, or\n"+
			"  OpenRouter  the CSV of the activity page, or the JSON of the activity API\n"+
			"  Anthropic   the CSV of the usage or of the cost page, the JSON of the usage_report/messages or cost_report API, or files of both\n"+
			"  OpenAI      the CSV of usage or costs, or the JSON of the usage API\n"+
			"  any other   a CSV with the columns day, model, and some of requests, prompt_tokens, completion_tokens and cost (USD)\n"+
			"Days are the export's, in UTC unless --zone says otherwise. Requests near midnight may be on different days; the tolerance counts totals by model.",
			"gatewayctl reconcile openrouter_activity.csv", "gatewayctl reconcile claude_usage.csv claude_cost.csv --tolerance 1% -o csv",
			"gatewayctl reconcile bill.csv --provider DeepSeek --since 2030-05-01 --until 2030-06-01"),
		Flags: []urfave.Flag{
			textFlag("provider", "compare requests to `PROVIDER`, as endpoints have it; all for the generic form", "the export's"),
			dateFlag("since", "from `DAY` on", "the export's first"), dateFlag("until", "before `DAY`", "after the export's last"),
			zoneFlag("zone", "IANA time `ZONE` in which the export's days begin"),
			toleranceFlag(),
		},
		Action: run(reconcileFiles),
	}
}

// dateFlag takes a day.
func dateFlag(name, usage, def string) *urfave.GenericFlag {
	parse := func(text string) (string, error) {
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "", fmt.Errorf("must be a date such as 2030-01-31: exports are by day")
		}
		return text, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def, Value: &parsed[string]{parse: parse}}
}

// tolerance is how large a gap may be: USD, or a fraction of the export's total.
type tolerance struct {
	most     *big.Rat
	fraction bool
}

func toleranceFlag() *urfave.GenericFlag {
	parse := func(text string) (tolerance, error) {
		number, fraction := strings.CutSuffix(text, "%")
		most, ok := new(big.Rat), len(number) <= 30 && strings.Trim(number, "0123456789.") == ""
		if ok {
			_, ok = most.SetString(number)
		}
		if !ok {
			return tolerance{}, fmt.Errorf("must be a percentage such as 1%% or an amount in USD such as 0.50")
		}
		if fraction {
			most.Quo(most, big.NewRat(100, 1))
		}
		return tolerance{most, fraction}, nil
	}
	return &urfave.GenericFlag{
		Name: "tolerance", Usage: "exit with 6 if the gap is above `GAP`: a percentage such as 1%, or USD; of tokens, or else requests, if the export has no costs", DefaultText: "0",
		Value: &parsed[tolerance]{parse: parse},
	}
}

func reconcileFiles(ctx context.Context, in *invocation) error {
	zone, err := time.LoadLocation(valueOf(in, "zone", "UTC"))
	if err != nil {
		return err
	}
	export := &reconcile.Export{}
	for _, path := range in.args {
		if err := in.readExport(export, path, zone); err != nil {
			return err
		}
	}
	first, last := export.Days()
	lastDay, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return err
	}
	first = cmp.Or(valueOf(in, "since", ""), first)
	end := cmp.Or(valueOf(in, "until", ""), lastDay.AddDate(0, 0, 1).Format(time.DateOnly))
	if first >= end {
		return usagef("reconcile: --until must be after --since; the period is %s to %s", first, end)
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	ours, err := client.Billing(ctx, adminapi.BillingQuery{Since: first, Until: end, Zone: zone.String()})
	if err != nil {
		return err
	}
	export.Provider = cmp.Or(in.text("provider"), export.Provider)
	if ours, err = ofProvider(ours, export.Provider); err != nil {
		return err
	}
	billed, err := findBilled(ctx, client, export)
	if err != nil {
		return err
	}
	dayOf := func(b reconcile.Billed) string { return b.Time.In(zone).Format(time.DateOnly) }
	report := reconcile.Compare(export, ours, billed, dayOf, first, end)
	allowed := valueOf(in, "tolerance", tolerance{most: new(big.Rat)})
	if allowed.most.Sign() > 0 && !allowed.fraction && report.GapUSD == nil {
		return usagef("reconcile: the export has no costs: --tolerance must be a percentage")
	}
	if err := in.showReport(report); err != nil {
		return err
	}
	if report.Above(allowed.most, allowed.fraction) {
		return errGap
	}
	return nil
}

func (in *invocation) readExport(export *reconcile.Export, path string, zone *time.Location) error {
	if path == "-" {
		return export.Read("standard input", in.opts.Stdin, zone)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return export.Read(path, f, zone)
}

// ofProvider leaves out what other providers bill.
func ofProvider(rows []adminapi.BillingRow, provider string) ([]adminapi.BillingRow, error) {
	if provider == "" {
		return rows, nil
	}
	others := map[string]bool{}
	var kept []adminapi.BillingRow
	for _, r := range rows {
		if strings.EqualFold(r.Provider, provider) {
			kept = append(kept, r)
		} else {
			others[r.Provider] = true
		}
	}
	if len(kept) == 0 && len(others) > 0 {
		return nil, fmt.Errorf("the log has no requests to provider %q in these days; --provider may be %s", provider, strings.Join(slices.Sorted(maps.Keys(others)), ", "))
	}
	return kept, nil
}

// findBilled looks up the requests that the export lists.
func findBilled(ctx context.Context, client *adminclient.Client, export *reconcile.Export) (map[string]reconcile.Billed, error) {
	found := map[string]reconcile.Billed{}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(export.Charges)), 1000) {
		list, err := client.FindBilled(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, b := range list {
			found[b.UpstreamID] = b
		}
	}
	return found, nil
}

func (in *invocation) showReport(r *reconcile.Report) error {
	columns := reconcileColumns()
	if in.format() == formatCSV {
		return list(in, r.Rows, columns)
	}
	return in.show(r, func(w io.Writer) error {
		return writeTable(w, in.look(), append(slices.Clone(r.Rows), r.Total), columns)
	})
}

func reconcileColumns() []column[reconcile.Row] {
	type row = reconcile.Row
	columns := []column[row]{
		{name: "day", text: func(r row) string { return r.Day }},
		{name: "model", text: func(r row) string { return r.Model }},
	}
	add := func(name, head string, text func(f reconcile.Figures) string) {
		columns = append(
			columns,
			column[row]{name: "their_" + name, head: "THEIR " + head, text: func(r row) string { return text(r.Theirs) }, number: true},
			column[row]{name: "our_" + name, head: "OURS", text: func(r row) string { return text(r.Ours) }, number: true},
			column[row]{name: name + "_gap", head: "GAP", text: func(r row) string { return text(r.Gap) }, number: true, tint: func(r row) tint {
				if gap := text(r.Gap); gap != "" && gap != "0" {
					return doubt
				}
				return plain
			}},
		)
	}
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return integer(*n)
	}
	add("requests", "REQUESTS", func(f reconcile.Figures) string { return number(f.Requests) })
	add("prompt_tokens", "PROMPT", func(f reconcile.Figures) string { return number(f.PromptTokens) })
	add("completion_tokens", "COMPLETION", func(f reconcile.Figures) string { return number(f.CompletionTokens) })
	add("cost_usd", "USD", func(f reconcile.Figures) string {
		if f.CostUSD == nil {
			return ""
		}
		return *f.CostUSD
	})
	return append(columns, column[row]{name: "causes", text: causesText})
}

func causesText(r reconcile.Row) string {
	words := make([]string, len(r.Causes))
	for i, c := range r.Causes {
		parts := []string{}
		if c.Requests != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.Requests, plural("request", int(c.Requests))))
		}
		if c.Tokens != 0 {
			parts = append(parts, fmt.Sprintf("%d tokens", c.Tokens))
		}
		if c.CostUSD != "0" {
			parts = append(parts, c.CostUSD+" USD")
		}
		words[i] = c.Cause + ": " + strings.Join(parts, ", ")
	}
	return strings.Join(words, "; ")
}
