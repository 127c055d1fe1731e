package requestlog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// LogQuery selects rows of the log. "" and zero times select all.
type LogQuery struct {
	// Since and Until bound the time of the request: from, and before.
	Since, Until time.Time
	// Fields are values that columns must have, by column.
	Fields map[string]string
	// Errors selects requests with a status of 400 and above.
	Errors bool
	// Before and After are request ids: the page ends before the first, or
	// begins after the second and is then in ascending order. One at most is set.
	Before, After string
	Limit         int
}

// LogFields are the columns that a LogQuery can select by.
func LogFields() []string {
	return []string{"request_id", "model_id", "provider", "endpoint", "node", "key_id", "user_id", "session_id", "outcome"}
}

// MaxLogRows bounds the answer to a LogQuery.
const MaxLogRows = 1000

// LogColumns are the columns of a LogRow, in order.
func LogColumns() []string {
	var names []string
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, _ cell) {
		if column != "latency_bucket" {
			names = append(names, column)
		}
	})
	return names
}

// LogRow is one row of the log; its values are in the order of LogColumns.
type LogRow struct {
	values []value
}

// value is a cell as text, with its kind.
type value struct {
	kind kind
	text *string
}

// RequestID returns the row's key.
func (r LogRow) RequestID() string { return r.Texts()[0] }

// Texts returns all values as text, "" for NULL.
func (r LogRow) Texts() []string {
	out := make([]string, len(r.values))
	for i, v := range r.values {
		switch {
		case v.text == nil:
		case v.kind == kindBool:
			out[i] = strconv.FormatBool(v.truth())
		default:
			out[i] = *v.text
		}
	}
	return out
}

// truth reads a boolean, which SQLite writes as a number.
func (v value) truth() bool { return *v.text == "1" || *v.text == "true" }

// MarshalJSON writes an object with all columns: times in RFC 3339, money as
// exact decimals in strings, tokens that are not known as null.
func (r LogRow) MarshalJSON() ([]byte, error) {
	dst := []byte{'{'}
	for i, name := range LogColumns() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(rawjson.AppendString(dst, name), ':')
		v := r.values[i]
		switch {
		case v.text == nil:
			dst = append(dst, "null"...)
		case v.kind == kindBool:
			dst = strconv.AppendBool(dst, v.truth())
		case v.kind == kindInt, v.kind == kindFloat, v.kind == kindJSON:
			dst = append(dst, *v.text...)
		default:
			dst = rawjson.AppendString(dst, *v.text)
		}
	}
	return append(dst, '}'), nil
}

// Row makes the row anew, to be inserted into another log.
func (r LogRow) Row() (*Row, error) {
	out := &Row{usage: &wire.Usage{RequestID: r.RequestID()}, copied: map[string]cell{}}
	var err error
	if out.second, err = idSecond(r.RequestID()); err != nil {
		return nil, err
	}
	for i, name := range LogColumns() {
		c, err := r.values[i].cell()
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", name, r.RequestID(), err)
		}
		out.copied[name] = c
	}
	out.copied["latency_bucket"] = intCell(latencyBucket(out.copied["latency_ms"].num))
	return out, nil
}

func (v value) cell() (c cell, err error) {
	c = cell{kind: v.kind, null: v.text == nil}
	if c.null {
		return c, nil
	}
	text := *v.text
	switch v.kind {
	case kindText:
		c.text = text
	case kindJSON:
		c.raw = []byte(text)
	case kindInt:
		c.num, err = strconv.ParseInt(text, 10, 64)
	case kindBool:
		if v.truth() {
			c.num = 1
		}
	case kindFloat:
		c.float, err = strconv.ParseFloat(text, 64)
	case kindMoney:
		c.num, err = parsePico(text)
	case kindSecond, kindMicro:
		var at time.Time
		if at, err = time.Parse(time.RFC3339Nano, text); err == nil {
			if c.num = at.Unix(); v.kind == kindMicro {
				c.num = at.UnixMicro()
			}
		}
	}
	return c, err
}

// UsageBy are the columns that usage can be summed up by.
func UsageBy() []string { return []string{"model", "provider", "endpoint", "node", "key", "user"} }

// UsageRow is what was used in all by one model, provider, endpoint, node, key
// or user.
type UsageRow struct {
	Group            string `json:"group"`
	RequestCount     int64  `json:"request_count"`
	ErrorCount       int64  `json:"error_count"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	TotalTokens      int64  `json:"total_tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Hour is what the log holds of one hour, counted from its rows.
type Hour struct {
	Hour   string `json:"hour"`
	Rows   int64  `json:"rows"`
	Tokens int64  `json:"tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Gap is a run of numbers of a node's events that have no rows.
type Gap struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// dialect is how a database writes what differs.
type dialect struct {
	param string // in front of a parameter's number
	// column reads one as text.
	column func(name string, k kind) string
	// moment is a parameter compared with a time.
	moment func(param string) string
	// hour is the beginning of a row's hour.
	hour string
	// cost sums up the cost as text.
	cost string
	// rolled: there is api_usage_hourly.
	rolled bool
	// pico: the money that comes is in pico-dollars.
	pico bool
}

// texter is a database that answers with text alone.
type texter interface {
	texts(ctx context.Context, sql string, args ...string) ([][]*string, error)
	dialect() dialect
}

// question builds a statement.
type question struct {
	d     dialect
	where []string
	args  []string
}

func (q *question) param(text string) string {
	q.args = append(q.args, text)
	return q.d.param + strconv.Itoa(len(q.args))
}

func (q *question) and(condition string) { q.where = append(q.where, condition) }

func (q *question) since(at time.Time, op string) {
	if !at.IsZero() {
		q.and("timestamp " + op + " " + q.d.moment(q.param(at.UTC().Format("2006-01-02T15:04:05Z"))))
	}
}

func (q *question) clause() string {
	if len(q.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.where, " AND ")
}

// readLog answers a LogQuery.
func readLog(ctx context.Context, t texter, in LogQuery) ([]LogRow, error) {
	q := question{d: t.dialect()}
	q.since(in.Since, ">=")
	q.since(in.Until, "<")
	for _, name := range LogFields() {
		if text, ok := in.Fields[name]; ok {
			q.and(name + " = " + q.param(text))
		}
	}
	if in.Errors {
		q.and("status_code >= 400")
	}
	order := "DESC"
	for id, op := range map[string]string{in.Before: "<", in.After: ">"} {
		if id == "" {
			continue
		}
		second, err := idSecond(id)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRejected, err)
		}
		q.since(time.Unix(second, 0), op+"=") // finds the partitions
		q.and("request_id " + op + " " + q.param(id))
		if op == ">" {
			order = "ASC"
		}
	}
	var columns []string
	var kinds []kind
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, c cell) {
		if column != "latency_bucket" {
			columns = append(columns, q.d.column(column, c.kind)+" AS "+column)
			kinds = append(kinds, c.kind)
		}
	})
	sql := "SELECT " + strings.Join(columns, ", ") + " FROM api_logs" + q.clause() +
		" ORDER BY request_id " + order + " LIMIT " + strconv.Itoa(min(max(in.Limit, 1), MaxLogRows))
	found, err := t.texts(ctx, sql, q.args...)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	list := make([]LogRow, len(found))
	for i, cells := range found {
		list[i].values = make([]value, len(kinds))
		for j, k := range kinds {
			if k == kindMoney && q.d.pico && cells[j] != nil {
				if err := fromPico(cells[j]); err != nil {
					return nil, fmt.Errorf("read the log: %w", err)
				}
			}
			list[i].values[j] = value{k, cells[j]}
		}
	}
	return list, nil
}

func fromPico(text *string) error {
	n, err := strconv.ParseInt(*text, 10, 64)
	if err == nil {
		*text = formatPico(n)
	}
	return err
}

// readUsage sums up by one column, of roll-ups where there are any.
func readUsage(ctx context.Context, t texter, since time.Time, by string) ([]UsageRow, error) {
	i := slices.Index(UsageBy(), by)
	if i < 0 {
		return nil, fmt.Errorf("%w: usage by %q, allowed are %s", ErrRejected, by, strings.Join(UsageBy(), ", "))
	}
	column := []string{"model_id", "provider", "endpoint", "node", "key_id", "user_id"}[i]
	q := question{d: t.dialect()}
	var sql string
	switch {
	case by == "model" || by == "provider":
		sql = q.rolledUsage(column, "api_stats_hourly", since)
	case q.d.rolled:
		q.and("dimension = " + q.param(by))
		column = "name"
		sql = q.rolledUsage(column, "api_usage_hourly", since)
	default:
		q.since(since, ">=")
		sql = "SELECT coalesce(" + column + ", '') AS g, CAST(count(*) AS TEXT) AS n, CAST(sum(CASE WHEN status_code >= 400 THEN 1 ELSE 0 END) AS TEXT) AS e," +
			" CAST(coalesce(sum(prompt_tokens), 0) AS TEXT) AS p, CAST(coalesce(sum(completion_tokens), 0) AS TEXT) AS c, CAST(coalesce(sum(total_tokens), 0) AS TEXT) AS t, " +
			q.d.cost + " AS m FROM api_logs"
	}
	found, err := t.texts(ctx, sql+q.clause()+" GROUP BY "+column+" ORDER BY 1", q.args...)
	if err != nil {
		return nil, fmt.Errorf("sum up usage: %w", err)
	}
	list := make([]UsageRow, len(found))
	for i, cells := range found {
		r := UsageRow{Group: orEmpty(cells[0])}
		if err := numbers(cells[1:6], &r.RequestCount, &r.ErrorCount, &r.PromptTokens, &r.CompletionTokens, &r.TotalTokens); err != nil {
			return nil, fmt.Errorf("sum up usage: %w", err)
		}
		if r.CostUSD, err = q.d.money(cells[6]); err != nil {
			return nil, fmt.Errorf("sum up usage: %w", err)
		}
		list[i] = r
	}
	// the most requests first; equal ones by name
	slices.SortStableFunc(list, func(a, b UsageRow) int { return int(min(1, max(-1, b.RequestCount-a.RequestCount))) })
	return list, nil
}

// rolledUsage reads roll-ups, which cannot be cut: the hour of since counts whole.
func (q *question) rolledUsage(column, table string, since time.Time) string {
	if !since.IsZero() {
		q.and("hour >= " + q.d.moment(q.param(since.UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05Z"))))
	}
	return "SELECT " + column + ", CAST(sum(request_count) AS TEXT) AS n, CAST(sum(error_count) AS TEXT) AS e, CAST(sum(total_prompt_tokens) AS TEXT) AS p," +
		" CAST(sum(total_completion_tokens) AS TEXT) AS c, CAST(sum(total_tokens) AS TEXT) AS t, " + strings.ReplaceAll(q.d.cost, "cost", "total_cost") + " AS m FROM " + table
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func numbers(cells []*string, into ...*int64) (err error) {
	for i, cell := range cells {
		if *into[i], err = strconv.ParseInt(orEmpty(cell), 10, 64); err != nil {
			return err
		}
	}
	return nil
}

func (d dialect) money(cell *string) (string, error) {
	if cell == nil {
		return "0", nil
	}
	text := *cell
	if d.pico {
		err := fromPico(&text)
		return text, err
	}
	return trimDecimal(text), nil
}

// readHours counts the log's rows hour by hour.
func readHours(ctx context.Context, t texter, since, until time.Time) ([]Hour, error) {
	q := question{d: t.dialect()}
	q.since(since, ">=")
	q.since(until, "<")
	found, err := t.texts(ctx, "SELECT "+q.d.hour+" AS h, CAST(count(*) AS TEXT) AS n, CAST(coalesce(sum(total_tokens), 0) AS TEXT) AS t, "+q.d.cost+
		" AS m FROM api_logs"+q.clause()+" GROUP BY 1 ORDER BY 1", q.args...)
	if err != nil {
		return nil, fmt.Errorf("count the log: %w", err)
	}
	list := make([]Hour, len(found))
	for i, cells := range found {
		h := Hour{Hour: orEmpty(cells[0])}
		if err := numbers(cells[1:3], &h.Rows, &h.Tokens); err != nil {
			return nil, fmt.Errorf("count the log: %w", err)
		}
		if h.CostUSD, err = q.d.money(cells[3]); err != nil {
			return nil, fmt.Errorf("count the log: %w", err)
		}
		list[i] = h
	}
	return list, nil
}

// maxGaps bounds what a search for gaps tells.
const maxGaps = 100

// readGaps finds numbers without rows between others.
func readGaps(ctx context.Context, t texter, since, until time.Time) ([]Gap, error) {
	q := question{d: t.dialect()}
	q.and("seq IS NOT NULL")
	q.since(since, ">=")
	q.since(until, "<")
	found, err := t.texts(ctx, "SELECT node, spool_epoch, CAST(seq + 1 AS TEXT) AS f, CAST(following - 1 AS TEXT) AS l FROM ("+
		"SELECT node, spool_epoch, seq, lead(seq) OVER (PARTITION BY node, spool_epoch ORDER BY seq) AS following FROM api_logs"+q.clause()+
		") AS s WHERE following > seq + 1 ORDER BY node, spool_epoch, seq LIMIT "+strconv.Itoa(maxGaps), q.args...)
	if err != nil {
		return nil, fmt.Errorf("look for gaps: %w", err)
	}
	list := make([]Gap, len(found))
	for i, cells := range found {
		var first, last int64
		if err := numbers(cells[2:4], &first, &last); err != nil {
			return nil, fmt.Errorf("look for gaps: %w", err)
		}
		list[i] = Gap{Node: orEmpty(cells[0]), Epoch: orEmpty(cells[1]), First: uint64(first), Last: uint64(last)} //nolint:gosec // sequence numbers
	}
	return list, nil
}
