package requestlog

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

const sqliteStatsSQL = `
SELECT hour, model_id, provider, request_count, success_count, error_count,
	total_prompt_tokens, total_completion_tokens, total_tokens, CAST(total_cost_pico AS TEXT), latency_sum_ms,
	(SELECT json_group_array(json_array(bucket, l.request_count)) FROM (
		SELECT bucket, request_count FROM api_latency_hourly
		WHERE hour = s.hour AND model_id = s.model_id AND provider = s.provider ORDER BY bucket) l)
FROM api_stats_hourly s
WHERE hour >= $1 AND ($2 = '' OR model_id = $2) AND ($3 = '' OR provider = $3)
ORDER BY hour DESC, model_id, provider LIMIT CAST($4 AS INTEGER)`

// Stats implements Store.
func (s *SQLite) Stats(ctx context.Context, q StatsQuery) ([]StatsRow, error) {
	since := q.Since.UTC().Truncate(time.Hour).Format(time.RFC3339)
	var list []StatsRow
	err := s.read(ctx, database.SQL(sqliteStatsSQL, since, q.Model, q.Provider, MaxStatsRows), func(row database.Row) error {
		r, err := scanSQLiteStats(row)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read roll-ups: %w", err)
	}
	return list, nil
}

func scanSQLiteStats(rows database.Row) (StatsRow, error) {
	var r StatsRow
	var hour, buckets string
	var pico, latencySum int64
	err := rows.Scan(&hour, &r.ModelID, &r.Provider, &r.RequestCount, &r.SuccessCount, &r.ErrorCount,
		&r.TotalPromptTokens, &r.TotalCompletionTokens, &r.TotalTokens, &pico, &latencySum, &buckets)
	if err != nil {
		return r, err
	}
	if r.Hour, err = time.Parse(time.RFC3339, hour); err != nil {
		return r, fmt.Errorf("hour: %w", err)
	}
	var pairs [][2]int64
	if err := json.Unmarshal([]byte(buckets), &pairs); err != nil {
		return r, fmt.Errorf("latency buckets: %w", err)
	}
	var h histogram
	for _, p := range pairs {
		h.buckets = append(h.buckets, p[0])
		h.counts = append(h.counts, p[1])
	}
	r.TotalCostUSD = formatPico(pico)
	r.finish(latencySum, h)
	return r, nil
}
