package requestlog

import (
	"context"
	"fmt"
	"regexp"
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
	// Filters select requests; the model is as the client wrote it.
	Filters          Names
	Session, Outcome string
	// ID is any id of a request that a client may have seen: the generation's, that
	// of an item of its answer, the X-Request-ID, the upstream's or the trace's.
	ID string
	// Text is a part of the error, or of the prompt or answer if they are kept;
	// upper and lower case are the same.
	Text string
	// Shadow is ShadowsOnly or ShadowsNone, "" selects requests and shadows.
	Shadow string
	// Errors selects requests with a status of 400 and above.
	Errors bool
	// MinMS selects requests that took at least that long.
	MinMS int64
	// Before and After are request ids: the page ends before the first, or
	// begins after the second and is then in ascending order. One at most is set.
	Before, After string
	Limit         int
}

// Whether a LogQuery selects the copies of requests for comparison.
const (
	ShadowsOnly = "only"
	ShadowsNone = "none"
)

// MaxLogRows bounds the answer to a LogQuery.
const MaxLogRows = 1000

// LogColumns are the columns of a LogRow, in order.
func LogColumns() []string {
	var names []string
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, _ cell) {
		if !bucket(column) {
			names = append(names, column)
		}
	})
	return names
}

// bucket tells the columns that only serve the roll-ups.
func bucket(column string) bool { return column == "latency_bucket" || column == "ttft_bucket" }

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
	ttft := out.copied["ttft_ms"]
	out.copied["ttft_bucket"] = intIf(!ttft.null, latencyBucket(ttft.num))
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

// where is what a row must be like, apart from its place in the order.
func (in *LogQuery) where(q *question) {
	q.since(in.Since, ">=")
	q.since(in.Until, "<")
	for _, condition := range in.Filters.conditions(q, searchColumn) {
		q.and(condition)
	}
	if in.Session != "" {
		q.and("session_id = " + q.param(in.Session))
	}
	if in.Outcome != "" {
		q.and("outcome = " + q.param(in.Outcome))
	}
	if in.ID != "" {
		q.and(anyID(q, in.ID))
	}
	if in.Text != "" {
		text := q.param(in.Text)
		q.and("(" + q.d.contains("error", text) + " OR request_id IN (SELECT request_id FROM api_contents WHERE " +
			q.d.contains("prompt", text) + " OR " + q.d.contains("answer", text) + "))")
	}
	switch in.Shadow {
	case ShadowsOnly:
		q.and("shadow IS TRUE")
	case ShadowsNone:
		q.and(notShadow)
	}
	if in.Errors {
		q.and("status_code >= 400")
	}
	if in.MinMS > 0 {
		q.and("latency_ms >= " + strconv.FormatInt(in.MinMS, 10))
	}
}

// itemID is the id of a part of an answer, such as a message of the Responses
// API: it contains the generation's.
var itemID = regexp.MustCompile(`^[a-z]+_([0-9]{10}-[0-9A-Za-z]{20})_[0-9]+$`)

// anyID is the condition that one of a row's ids is id, or that of the request
// which it is a shadow of. Each column of it has an index.
func anyID(q *question, id string) string {
	text := q.param(id)
	generation := text
	if m := itemID.FindStringSubmatch(id); m != nil {
		generation = q.param("gen-" + m[1])
	}
	trace := q.param(strings.ToLower(id))
	return "(request_id = " + generation + " OR http_request_id = " + text + " OR upstream_id = " + text + " OR trace_id = " + trace + " OR shadow_of = " + generation + ")"
}

// page begins the rows after a request, or ends them before it. An id that has
// no row stands for the beginning or the end of its second.
func (in *LogQuery) page(q *question) (order string, err error) {
	id, op, order, fallback := in.Before, "<", "DESC", "9999-12-31T23:59:59Z"
	if in.After != "" {
		id, op, order, fallback = in.After, ">", "ASC", "0001-01-01T00:00:00Z"
	}
	if id == "" {
		return order, nil
	}
	second, err := idSecond(id)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRejected, err)
	}
	at := time.Unix(second, 0)
	q.since(at, op+"=") // finds the partitions
	moment, row := q.d.moment(q.param(at.UTC().Format(time.RFC3339))), q.param(id)
	q.and("(timestamp, received_at, request_id) " + op + " (" + moment + ", coalesce((SELECT received_at FROM api_logs WHERE timestamp = " + moment +
		" AND request_id = " + row + "), " + q.d.moment(q.param(fallback)) + "), " + row + ")")
	return order, nil
}

// Logs implements Store.
func (l *log) Logs(ctx context.Context, in LogQuery) ([]LogRow, error) {
	q := question{d: l.d}
	in.where(&q)
	order, err := in.page(&q)
	if err != nil {
		return nil, err
	}
	var columns []string
	var kinds []kind
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, c cell) {
		if !bucket(column) {
			columns = append(columns, q.d.column(column, c.kind)+" AS "+column)
			kinds = append(kinds, c.kind)
		}
	})
	sql := "SELECT " + strings.Join(columns, ", ") + " FROM api_logs" + q.clause() +
		" ORDER BY api_logs.timestamp " + order + ", api_logs.received_at " + order + ", api_logs.request_id " + order + " LIMIT " + strconv.Itoa(min(max(in.Limit, 1), MaxLogRows))
	found, err := l.texts(ctx, sql, q.args...)
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
