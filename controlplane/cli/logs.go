package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

const (
	logPage = 1000
	// tailEvery is the pause between two looks.
	tailEvery = time.Second
	// tailSpan is how far back a look goes: a row is numbered by its request's
	// beginning and comes with its end.
	tailSpan = "10m"
)

// logFilters are flags that select by the same parameter of the API.
func logFilters() []flag {
	return []flag{
		{name: "model", about: "only of `MODEL`, as the client named it"},
		{name: "provider", about: "only of `PROVIDER`"},
		{name: "endpoint", about: "only of `ENDPOINT`, by its whole id"},
		{name: "node", about: "only of `NODE`"},
		{name: "key", about: "only of the API key with this `ID`"},
		{name: "user", about: "only of `USER`"},
		{name: "session", about: "only of `SESSION`"},
		{name: "outcome", about: "only with this `END`: complete, client_gone, upstream_error, timeout or rejected"},
		{name: "id", about: "only the request with this `ID`"},
		{name: "errors", takes: takesNothing, about: "only requests that failed"},
	}
}

func spanFlags(since string) []flag {
	return []flag{
		{name: "since", about: "from `WHEN` on: a time such as 2030-01-31T00:00:00Z, or a span back such as 90m or 7d", def: since},
		{name: "until", about: "before `WHEN`", def: "now"},
	}
}

func logsCommand() *command {
	return &command{
		name: "logs", about: "look into the request log",
		examples: []string{"gatewayctl logs search --errors --since 1h", "gatewayctl logs export --since 7d --format csv"},
		subs: []*command{
			{
				name: "search", about: "show requests, newest first",
				examples: []string{"gatewayctl logs search", "gatewayctl logs search --model demo --errors --since 1h -o json"},
				flags:    slices.Concat(logFilters(), spanFlags("24h"), []flag{{name: "limit", about: "show `N`", def: whole(defaultLimit)}, {name: "before", about: "show those before the request with this `ID`"}}),
				run:      searchLogs,
			},
			{
				name: "content", about: "show what was asked and answered, where nodes keep it", args: "ID",
				details:  "Nodes keep prompts and answers with DB_STORE_FULL_CONTENT=true.",
				examples: []string{"gatewayctl logs content gen-1893553445-a"},
				run:      showContent,
			},
			{
				name: "tail", about: "show the latest requests, and with --follow those that come",
				examples: []string{"gatewayctl logs tail --limit 5", "gatewayctl logs tail --model demo -o json"},
				flags: append(logFilters(), flag{name: "limit", about: "begin with the latest `N`", def: "10"},
					flag{name: "follow", short: "f", takes: takesNothing, about: "go on until interrupted"}),
				run: tailLogs,
			},
			{
				name: "export", about: "write all requests of a span, oldest first, as JSON lines or CSV",
				details:  "The log is read page by page, however long it is; what was written stays correct when the connection breaks, and --after goes on.",
				examples: []string{"gatewayctl logs export --since 1h", "gatewayctl logs export --since 7d --format csv --key KEY_ID"},
				flags: slices.Concat(logFilters(), spanFlags("24h"), []flag{
					{name: "format", about: "write `FORMAT`: jsonl or csv", def: "jsonl", words: []string{"jsonl", "csv"}},
					{name: "after", about: "go on after the request with this `ID`"},
				}),
				run: exportLogs,
			},
		},
	}
}

// logQuery is the API's query of the flags.
func (in *invocation) logQuery(since string) url.Values {
	q := url.Values{}
	for _, f := range logFilters() {
		if text := in.text(f.name); text != "" && (f.takes != takesNothing || in.on(f.name)) {
			q.Set(f.name, text)
		}
	}
	for name, def := range map[string]string{"since": since, "until": "", "before": "", "after": ""} {
		if text := in.text(name); text != "" {
			q.Set(name, text)
		} else if def != "" {
			q.Set(name, def)
		}
	}
	return q
}

func logColumns() []column[adminclient.LogRow] {
	type row = adminclient.LogRow
	optional := func(n *int64) string {
		if n == nil {
			return ""
		}
		return whole(*n)
	}
	return []column[row]{
		{name: "received_at", head: "TIME", text: func(r row) string { return strings.TrimSuffix(r.ReceivedAt, "000Z") }},
		{name: "request_id", text: func(r row) string { return r.RequestID }},
		{name: "status_code", head: "STATUS", text: func(r row) string { return whole(r.Status) }, number: true, tint: func(r row) tint {
			if r.Status >= 400 {
				return bad
			}
			return good
		}},
		{name: "outcome", text: func(r row) string { return r.Outcome }},
		{name: "model_id", head: "MODEL", text: func(r row) string { return r.ModelID }},
		{name: "endpoint", text: func(r row) string { return r.Endpoint }},
		{name: "user_id", head: "USER", text: func(r row) string { return r.UserID }},
		{name: "prompt_tokens", head: "PROMPT", text: func(r row) string { return optional(r.PromptTokens) }, number: true},
		{name: "completion_tokens", head: "COMPLETION", text: func(r row) string { return optional(r.Completion) }, number: true},
		{name: "cost_usd", text: func(r row) string { return r.CostUSD }, number: true},
		{name: "latency_ms", head: "MS", text: func(r row) string { return whole(r.LatencyMS) }, number: true},
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
		return writeFields(w, in.colour(), []field{{name: "request_id", text: c.RequestID}, {name: "prompt", text: c.Prompt}, {name: "answer", text: c.Answer}})
	})
}

func searchLogs(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	limit, err := in.count("limit", defaultLimit, maxLimit)
	if err != nil {
		return err
	}
	q := in.logQuery("24h")
	q.Set("limit", whole(limit))
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
	limit, err := in.count("limit", 10, maxLimit) //nolint:mnd // the default that --help tells
	if err != nil {
		return err
	}
	q := in.logQuery("")
	q.Set("limit", whole(limit))
	rows, err := client.Logs(ctx, q)
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	if !in.on("follow") {
		return list(in, rows, logColumns())
	}
	seen := map[string]bool{}
	for {
		var fresh []adminclient.LogRow
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
		q.Set("since", tailSpan)
		q.Set("limit", whole(logPage))
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
func (in *invocation) writeTail(rows []adminclient.LogRow) error {
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
	write, flush, err := in.exporter()
	if err != nil {
		return err
	}
	q := in.logQuery("24h")
	q.Set("limit", whole(logPage))
	if q.Get("after") == "" {
		q.Set("after", "gen-1577836800-0") // before all, so that the oldest come first
	}
	last := ""
	for {
		rows, err := client.Logs(ctx, q)
		if err != nil {
			if last != "" {
				err = fmt.Errorf("%w; --after %s goes on", err, last)
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
		q.Set("after", last)
	}
}

// exporter returns how a row is written.
func (in *invocation) exporter() (write func(adminclient.LogRow) error, flush func() error, err error) {
	if f := in.text("output"); f == formatJSON || f == formatYAML { // JSON is YAML
		return in.jsonArray()
	}
	switch format := in.text("format"); format {
	case "", "jsonl":
		return in.jsonLines()
	case "csv":
		table := csv.NewWriter(in.opts.Stdout)
		var columns []string
		return func(r adminclient.LogRow) error {
				names, values, err := members(r.Raw)
				if err == nil && columns == nil {
					columns = names
					err = table.Write(columns)
				}
				if err != nil {
					return err
				}
				return table.Write(values)
			}, func() error {
				table.Flush()
				return table.Error()
			}, nil
	default:
		return nil, nil, usagef("--format must be jsonl or csv, got %q", format)
	}
}

func (in *invocation) jsonLines() (write func(adminclient.LogRow) error, flush func() error, err error) {
	return func(r adminclient.LogRow) error {
		_, err := fmt.Fprintf(in.opts.Stdout, "%s\n", r.Raw)
		return err
	}, func() error { return nil }, nil
}

func (in *invocation) jsonArray() (write func(adminclient.LogRow) error, flush func() error, err error) {
	before := "["
	return func(r adminclient.LogRow) error {
			_, err := fmt.Fprintf(in.opts.Stdout, "%s\n%s", before, r.Raw)
			before = ","
			return err
		}, func() error {
			if before == "[" {
				_, _ = fmt.Fprint(in.opts.Stdout, before)
			}
			_, err := fmt.Fprintln(in.opts.Stdout, "\n]")
			return err
		}, nil
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
