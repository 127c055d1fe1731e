package requestlog

import (
	"context"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// The page is cut before the histograms are fetched, and each is one row.
const postgresStatsSQL = `
WITH page AS (
	SELECT hour, model_id, provider, request_count, success_count, error_count,
		total_prompt_tokens, total_completion_tokens, total_tokens, total_cost_usd, latency_sum_ms
	FROM api_stats_hourly
	WHERE hour >= $1 AND ($2::text = '' OR model_id = $2::text) AND ($3::text = '' OR provider = $3::text)
	ORDER BY hour DESC, model_id, provider LIMIT $4
)
SELECT page.hour, page.model_id, page.provider, request_count, success_count, error_count,
	total_prompt_tokens, total_completion_tokens, total_tokens, total_cost_usd::text, latency_sum_ms, buckets, counts
FROM page, LATERAL (
	SELECT array_agg(bucket::int8 ORDER BY bucket) AS buckets, array_agg(l.request_count ORDER BY bucket) AS counts
	FROM api_latency_hourly l WHERE l.hour = page.hour AND l.model_id = page.model_id AND l.provider = page.provider
) h
ORDER BY page.hour DESC, page.model_id, page.provider`

// Stats implements Store.
func (p *Postgres) Stats(ctx context.Context, q StatsQuery) ([]StatsRow, error) {
	var list []StatsRow
	query := database.SQL(postgresStatsSQL, q.Since.UTC().Truncate(time.Hour), q.Model, q.Provider, MaxStatsRows)
	err := p.read(ctx, query, func(row database.Row) error {
		var r StatsRow
		var latencySum int64
		var h histogram
		err := row.Scan(&r.Hour, &r.ModelID, &r.Provider, &r.RequestCount, &r.SuccessCount, &r.ErrorCount,
			&r.TotalPromptTokens, &r.TotalCompletionTokens, &r.TotalTokens, &r.TotalCostUSD, &latencySum, &h.buckets, &h.counts)
		r.finish(latencySum, h)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read roll-ups: %w", err)
	}
	return list, nil
}
