package requestlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// insertPlan is the statement for a batch and the types of its parameters.
type insertPlan struct {
	sql     string
	types   []pgType
	oids    []uint32
	formats []int16 // all binary
}

func newInsertPlan() insertPlan {
	var plan insertPlan
	var columns, values, params []string
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, c cell) {
		typ := c.kind.postgres()
		plan.types = append(plan.types, typ)
		plan.oids = append(plan.oids, typ.array)
		plan.formats = append(plan.formats, 1)
		columns = append(columns, column)
		params = append(params, fmt.Sprintf("unnest($%d::%s) AS %s", len(columns), typ.sql, column))
		value := "t." + column
		if c.kind == kindMoney {
			value = "trim_scale(" + value + " * 0.000000000001)"
		}
		values = append(values, value)
	})
	plan.sql = fmt.Sprintf(insertSQL, strings.Join(columns, ", "), strings.Join(values, ", "), strings.Join(params, ", "))
	return plan
}

// One statement: a row and its share of the roll-ups are there together or not
// at all, and rows that were there already have no share. The arrays are
// unnested side by side in the select list; FROM unnest(a, b, ...) would keep
// each in a store of its own first, which costs a third of the insert.
const insertSQL = `
WITH ins AS (
	INSERT INTO api_logs (%s)
	SELECT %s FROM (SELECT %s) AS t
	ON CONFLICT DO NOTHING
	RETURNING date_trunc('hour', timestamp, 'UTC') AS hour, coalesce(model, '(unknown)') AS model_id, provider, status_code, latency_ms,
		prompt_tokens, completion_tokens, total_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost_usd, upstream_cost_usd, shadow
), stats AS (
	INSERT INTO api_stats_hourly AS s (hour, model_id, provider, request_count, success_count, error_count,
		total_prompt_tokens, total_completion_tokens, total_tokens, total_reasoning_tokens, total_cache_read_tokens, total_cache_write_tokens,
		total_cost_usd, total_upstream_cost_usd, latency_sum_ms)
	SELECT hour, model_id, provider, count(*), count(*) FILTER (WHERE status_code < 400), count(*) FILTER (WHERE status_code >= 400),
		coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(total_tokens), 0),
		coalesce(sum(reasoning_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
		coalesce(sum(cost_usd), 0), coalesce(sum(upstream_cost_usd), 0), sum(latency_ms)
	FROM ins WHERE shadow IS NOT TRUE GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
	ON CONFLICT (hour, model_id, provider) DO UPDATE SET
		request_count = s.request_count + excluded.request_count,
		success_count = s.success_count + excluded.success_count,
		error_count = s.error_count + excluded.error_count,
		total_prompt_tokens = s.total_prompt_tokens + excluded.total_prompt_tokens,
		total_completion_tokens = s.total_completion_tokens + excluded.total_completion_tokens,
		total_tokens = s.total_tokens + excluded.total_tokens,
		total_reasoning_tokens = s.total_reasoning_tokens + excluded.total_reasoning_tokens,
		total_cache_read_tokens = s.total_cache_read_tokens + excluded.total_cache_read_tokens,
		total_cache_write_tokens = s.total_cache_write_tokens + excluded.total_cache_write_tokens,
		total_cost_usd = s.total_cost_usd + excluded.total_cost_usd,
		total_upstream_cost_usd = s.total_upstream_cost_usd + excluded.total_upstream_cost_usd,
		latency_sum_ms = s.latency_sum_ms + excluded.latency_sum_ms
)
SELECT count(*)::text FROM ins`

// Insert implements Store.
func (p *Postgres) Insert(ctx context.Context, rows []*Row) (int, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if err := p.ensureDays(ctx, rows); err != nil {
		return 0, err
	}
	params := p.insert.encode(rows)
	contents := withContent(rows)
	n, err := p.insertOnce(ctx, params, contents)
	if database.MissingPartition(err) {
		// retention dropped a day that this process knew
		p.days.forget()
		if err := p.ensureDays(ctx, rows); err != nil {
			return 0, err
		}
		n, err = p.insertOnce(ctx, params, contents)
	}
	if err != nil {
		return 0, fmt.Errorf("insert %d rows: %w", len(rows), err)
	}
	return n, nil
}

// encode turns rows into one array per column. Rows are sorted by key, so that
// two collectors with the same rows wait for each other instead of deadlocking.
func (plan *insertPlan) encode(rows []*Row) [][]byte {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b *Row) int { return strings.Compare(a.RequestID(), b.RequestID()) })
	params := make([][]byte, len(plan.types))
	for i, typ := range plan.types {
		params[i] = newPGArray(make([]byte, 0, arrayHeader+12*len(rows)), typ.element, len(rows))
	}
	for _, r := range rows {
		i := 0
		r.each(func(_ string, c cell) {
			params[i] = c.appendPG(params[i])
			i++
		})
	}
	return params
}

// insertOnce sends the statement and its timeout as one batch, which
// PostgreSQL runs as one transaction: one round trip, and a limit that holds on
// the server too without any state in the session.
func (p *Postgres) insertOnce(ctx context.Context, params [][]byte, contents []*Row) (int, error) {
	// the server's limit comes first; this one is for a network that is gone
	ctx, cancel := context.WithTimeout(ctx, p.timeout+p.timeout/2)
	defer cancel()
	batch := new(pgconn.Batch)
	limit := []byte(strconv.FormatInt(p.timeout.Milliseconds(), 10))
	batch.ExecParams("SELECT set_config('statement_timeout', $1, true)", [][]byte{limit}, []uint32{25}, nil, nil)
	batch.ExecParams(p.insert.sql, params, p.insert.oids, p.insert.formats, nil)
	p.addContent(batch, contents)
	results, err := p.pg.Batch(ctx, batch)
	if err != nil {
		return 0, err
	}
	return insertedCount(results)
}

func insertedCount(results []*pgconn.Result) (int, error) {
	if len(results) < 2 {
		return 0, fmt.Errorf("server sent %d results, want 2 or more", len(results))
	}
	rows := results[1].Rows
	if len(rows) != 1 || len(rows[0]) != 1 {
		return 0, errors.New("server sent no count of inserted rows")
	}
	return strconv.Atoi(string(rows[0][0]))
}
