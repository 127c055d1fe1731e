package requestlog

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// log is what all stores have in common: reading.
type log struct {
	db database.DB
	d  dialect
	// timeout limits one statement, 0 for the caller's limit alone.
	timeout time.Duration
}

// Health implements Store.
func (l *log) Health(ctx context.Context) error { return l.db.Ping(ctx) }

// texts runs a statement whose columns and parameters are all text.
func (l *log) texts(ctx context.Context, sql string, args ...string) (table [][]*string, err error) {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	err = l.read(ctx, database.SQL(sql, values...), func(r database.Row) error {
		cells := make([]*string, r.Len())
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		table = append(table, cells)
		return r.Scan(into...)
	})
	return table, err
}

func (l *log) read(ctx context.Context, query database.Statement, each func(database.Row) error) error {
	if l.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.timeout)
		defer cancel()
	}
	return l.db.Read(ctx, query, each)
}

// question builds a statement.
type question struct {
	d     dialect
	where []string
	args  []string
}

func (q *question) param(text string) string {
	q.args = append(q.args, text)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *question) and(condition string) { q.where = append(q.where, condition) }

func (q *question) since(at time.Time, op string) {
	if !at.IsZero() {
		q.and("timestamp " + op + " " + q.d.moment(q.param(at.UTC().Format("2006-01-02T15:04:05Z"))))
	}
}

// dimension selects the lines of a dimension of api_usage_by.
func (q *question) dimension(name string, filters *Names) {
	q.and("dimension = '" + name + "'")
	if value := *filters.field(name); value != "" {
		q.and("name = " + q.param(value))
	}
}

func (q *question) clause() string {
	if len(q.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.where, " AND ")
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
