package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

const (
	logPage     = 1000
	defaultTail = 10
	// tailEvery is the pause between two looks.
	tailEvery = time.Second
	// tailSpan is how far back a look goes: a row is numbered by its request's
	// beginning and comes with its end.
	tailSpan = "10m"
	// maxMS is the longest that --min-ms takes: a day.
	maxMS = 86_400_000
)

// filterFlags are flags that select by the same parameter of the API; model says
// what --model compares.
func filterFlags(model string) []urfave.Flag {
	return []urfave.Flag{
		textFlag("model", "only requests for `MODEL`, "+model, ""),
		textFlag("provider", "only requests served by `PROVIDER`", ""),
		textFlag("endpoint", "only requests served by `ENDPOINT`, its full id", ""),
		textFlag("node", "only requests at `NODE`", ""),
		textFlag("key", "only requests with the API key `ID`", ""),
		textFlag("user", "only requests of `USER`", ""),
		textFlag("team", "only requests of `TEAM`, a name or an id", ""),
	}
}

// filters returns the values of filterFlags.
func (in *invocation) filters() adminapi.Filters {
	return adminapi.Filters{
		Model: in.text("model"), Provider: in.text("provider"), Endpoint: in.text("endpoint"), Node: in.text("node"),
		Key: in.text("key"), User: in.text("user"), Team: in.text("team"),
	}
}

func logFilters() []urfave.Flag {
	return append(
		filterFlags("as the client named it"),
		textFlag("session", "only requests of `SESSION`", ""),
		choiceFlag("outcome", "only requests with `OUTCOME`: complete, client_gone, upstream_error, timeout or rejected", "",
			"complete", "client_gone", "upstream_error", "timeout", "rejected"),
		textFlag("id", "only the request `ID`: the generation's, that of an item of its answer, the X-Request-ID, the upstream's or the trace's", ""),
		textFlag("text", "only requests with `TEXT` in the error, or in the prompt or answer if they are stored", ""),
		countFlag("min-ms", "only requests that took at least `MS` milliseconds", 0, maxMS),
		switchFlag("errors", "only failed requests"),
		choiceFlag("shadow", "`WHAT` to do with copies for comparison: with, only or none", "with", "with", "only", "none"),
	)
}

func spanFlags(since string) []urfave.Flag {
	return []urfave.Flag{
		momentFlag("since", "since `WHEN`: a time such as 2030-01-31T00:00:00Z, a date, or a duration back such as 90m or 7d", since),
		momentFlag("until", "before `WHEN`", "now"),
	}
}

func logsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "logs", Usage: "search, follow and export the request log",
		Description: help("", "gatewayctl logs search --errors --since 1h", "gatewayctl logs export --since 7d --format csv"),
		Subcommands: []*urfave.Command{
			{
				Name: "search", Usage: "show requests, newest first",
				Description: help("", "gatewayctl logs search", "gatewayctl logs search --model demo --errors --since 1h -o json"),
				Flags: slices.Concat(logFilters(), spanFlags("24h"), []urfave.Flag{
					countFlag("limit", "show at most `N`", defaultLimit, maxLimit), textFlag("before", "show only requests before the request `ID`", ""),
				}),
				Action: run(searchLogs),
			},
			{
				Name: "show", Usage: "show one request, whenever it was", ArgsUsage: "ID",
				Description: help("ID is any id of the request: the generation's, that of an item of its answer, the X-Request-ID that its answer or error showed, the upstream's, or the trace's.",
					"gatewayctl logs show gen-1893553445-a", "gatewayctl logs show my-request-7 -o json"),
				Action: run(showLog),
			},
			{
				Name: "content", Usage: "show a request's prompt and answer, if they are stored", ArgsUsage: "ID",
				Description: help("Prompts and answers are stored only with DB_STORE_FULL_CONTENT=true.", "gatewayctl logs content gen-1893553445-a"),
				Action:      run(showContent),
			},
			{
				Name: "tail", Usage: "show the latest requests; --follow waits for new ones",
				Description: help("", "gatewayctl logs tail --limit 5", "gatewayctl logs tail --model demo -o json"),
				Flags: append(logFilters(), spanFlags("the beginning")[0], countFlag("limit", "start with the latest `N`", defaultTail, maxLimit),
					&urfave.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "continue until interrupted", DisableDefaultText: true}),
				Action: run(tailLogs),
			},
			{
				Name: "export", Usage: "write all requests of a time range, oldest first, as JSON lines or CSV",
				Description: help("The log is read in pages. If the connection breaks, what was written is complete, and --after continues from there.",
					"gatewayctl logs export --since 1h", "gatewayctl logs export --since 7d --format csv --key KEY_ID"),
				Flags: slices.Concat(logFilters(), spanFlags("24h"), []urfave.Flag{
					choiceFlag("format", "write `FORMAT`: jsonl or csv", "jsonl", "jsonl", "csv"),
					textFlag("after", "continue after the request `ID`", ""),
				}),
				Action: run(exportLogs),
			},
		},
	}
}

// logQuery returns the query of the flags.
func (in *invocation) logQuery(since string) adminapi.LogQuery {
	return adminapi.LogQuery{
		Since: cmp.Or(valueOf(in, "since", ""), since), Until: valueOf(in, "until", ""), Text: in.text("text"), MinMS: int64(valueOf(in, "min-ms", 0)), Before: in.text("before"), After: in.text("after"), Errors: in.Bool("errors"),
		ID: in.text("id"), Filters: in.filters(), Session: in.text("session"), Outcome: in.text("outcome"), Shadow: in.text("shadow"),
	}
}

func logColumns() []column[adminapi.LogRow] {
	type row = adminapi.LogRow
	optional := func(n *int64) string {
		if n == nil {
			return ""
		}
		return integer(*n)
	}
	return []column[row]{
		{name: "received_at", head: "TIME", text: func(r row) string { return strings.TrimSuffix(r.ReceivedAt, "000Z") }},
		{name: "request_id", text: func(r row) string { return r.RequestID }},
		{name: "status_code", head: "STATUS", text: func(r row) string { return integer(r.Status) }, number: true, tint: func(r row) tint {
			if r.Status >= 400 {
				return bad
			}
			return good
		}},
		{name: "outcome", spare: true, text: func(r row) string { return r.Outcome }},
		{name: "model_id", head: "MODEL", text: func(r row) string { return r.ModelID }},
		{name: "endpoint", spare: true, text: func(r row) string {
			if r.Shadow {
				return r.Endpoint + " (shadow)"
			}
			return r.Endpoint
		}},
		{name: "user_id", head: "USER", spare: true, text: func(r row) string { return r.UserID }},
		{name: "prompt_tokens", head: "PROMPT", spare: true, text: func(r row) string { return optional(r.PromptTokens) }, number: true},
		{name: "completion_tokens", head: "COMPLETION", spare: true, text: func(r row) string { return optional(r.Completion) }, number: true},
		{name: "cost_usd", spare: true, text: func(r row) string { return r.CostUSD }, number: true},
		{name: "latency_ms", head: "MS", text: func(r row) string { return integer(r.LatencyMS) }, number: true},
		{name: "error", text: func(r row) string { return r.Error }},
	}
}

func showContent(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	c, err := client.Content(ctx, in.args[0])
	if err != nil {
		return err
	}
	return in.show(c, func(w io.Writer) error {
		return writeFields(w, in.look(), []field{{name: "request_id", text: c.RequestID}, {name: "prompt", text: c.Prompt}, {name: "answer", text: c.Answer}})
	})
}

// showLog shows every column of the requests that an id finds, of which clients
// may give the same to several.
func showLog(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Logs(ctx, adminapi.LogQuery{ID: in.args[0], Limit: maxLimit})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("no request has the id %q", in.args[0])
	}
	if in.format() != formatTable {
		return list(in, rows, logColumns())
	}
	for i, r := range rows {
		names, values, err := members(r.Raw)
		if err != nil {
			return err
		}
		fields := make([]field, 0, len(names))
		for j, name := range names {
			if values[j] != "" {
				fields = append(fields, field{name: name, text: values[j]})
			}
		}
		if i > 0 {
			_, _ = fmt.Fprintln(in.opts.Stdout)
		}
		if err := writeFields(in.opts.Stdout, in.look(), fields); err != nil {
			return err
		}
	}
	return nil
}

func searchLogs(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	q := in.logQuery("24h")
	q.Limit = valueOf(in, "limit", defaultLimit)
	rows, err := client.Logs(ctx, q)
	if err != nil {
		return err
	}
	return list(in, rows, logColumns())
}

func tailLogs(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	q := in.logQuery("")
	q.Limit = valueOf(in, "limit", defaultTail)
	rows, err := client.Logs(ctx, q)
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	if !in.Bool("follow") {
		return list(in, rows, logColumns())
	}
	if in.format() == formatCSV {
		return usagef("--follow prints a table or JSON lines, not csv")
	}
	seen := map[string]bool{}
	for {
		var fresh []adminapi.LogRow
		next := map[string]bool{}
		for _, r := range rows {
			if !seen[r.RequestID] {
				fresh = append(fresh, r)
			}
			next[r.RequestID] = true
		}
		seen = next
		if err := in.writeTail(fresh); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tailEvery):
		}
		q.Since = tailSpan
		q.Limit = logPage
		if rows, err = client.Logs(ctx, q); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // interrupted, as intended
			}
			return err
		}
		slices.Reverse(rows)
	}
}

// writeTail writes rows one by one: JSON is a line each.
func (in *invocation) writeTail(rows []adminapi.LogRow) error {
	if len(rows) == 0 {
		return nil
	}
	if in.format() == formatTable {
		return list(in, rows, logColumns())
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(in.opts.Stdout, "%s\n", r.Raw); err != nil {
			return fmt.Errorf("write the output: %w", err)
		}
	}
	return nil
}

func exportLogs(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	write, flush := in.exporter()
	q := in.logQuery("24h")
	q.Limit = logPage
	if q.After == "" {
		q.After = "gen-1577836800-0" // before all, so that the oldest come first
	}
	last := ""
	for {
		rows, err := client.Logs(ctx, q)
		if err != nil {
			if last != "" {
				err = fmt.Errorf("%w; continue with --after %s", err, last)
			}
			return errors.Join(flush(), err)
		}
		for _, r := range rows {
			if err := write(r); err != nil {
				return fmt.Errorf("write the output: %w", err)
			}
			last = r.RequestID
		}
		if len(rows) < logPage {
			return flush()
		}
		q.After = last
	}
}

// exporter returns how a row is written.
func (in *invocation) exporter() (write func(adminapi.LogRow) error, flush func() error) {
	switch {
	case in.format() == formatCSV || in.format() == formatTable && valueOf(in, "format", "") == "csv":
		return in.csvRows()
	case in.format() != formatTable: // JSON is YAML
		return in.jsonArray()
	}
	return func(r adminapi.LogRow) error {
		_, err := fmt.Fprintf(in.opts.Stdout, "%s\n", r.Raw)
		return err
	}, func() error { return nil }
}

func (in *invocation) csvRows() (write func(adminapi.LogRow) error, flush func() error) {
	table := csv.NewWriter(in.opts.Stdout)
	var columns []string
	write = func(r adminapi.LogRow) error {
		names, values, err := members(r.Raw)
		if err == nil && columns == nil {
			columns = names
			err = table.Write(columns)
		}
		if err != nil {
			return err
		}
		for i, text := range values {
			values[i] = csvCell(text)
		}
		return table.Write(values)
	}
	return write, func() error {
		table.Flush()
		return table.Error()
	}
}

func (in *invocation) jsonArray() (write func(adminapi.LogRow) error, flush func() error) {
	before := "["
	return func(r adminapi.LogRow) error {
			_, err := fmt.Fprintf(in.opts.Stdout, "%s\n%s", before, r.Raw)
			before = ","
			return err
		}, func() error {
			if before == "[" {
				_, _ = fmt.Fprint(in.opts.Stdout, before)
			}
			_, err := fmt.Fprintln(in.opts.Stdout, "\n]")
			return err
		}
}

// members are the names of an object's members and their values: text as it
// is, null as nothing, all else as JSON.
func members(raw []byte) (names, values []string, err error) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		text := string(value)
		switch {
		case text == "null":
			text = ""
		case strings.HasPrefix(text, `"`):
			if err := json.Unmarshal(value, &text); err != nil {
				return nil, nil, err
			}
		}
		names, values = append(names, fmt.Sprint(name)), append(values, text)
	}
	if _, err := dec.Token(); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return names, values, nil
}
