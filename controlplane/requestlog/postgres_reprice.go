package requestlog

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hybridinference/gateway/shared/price"
)

const (
	// A batch is repriceSlice of time, which doubles while it has fewer rows than
	// repriceRows and shrinks when it has more than twice that. repriceWorkers have
	// a part each.
	repriceSlice   = 15 * time.Minute
	repriceRows    = 100_000
	repriceWorkers = 4
	// repriceLock is held while rows are repriced: of two runs at once each would
	// undo what the other does. Erasing excludes both by its lock of the log.
	repriceLock = 7_240_115_902
	// repriceTime bounds a batch.
	repriceTime = 5 * time.Minute
)

// Reprice implements Store.
func (p *Postgres) Reprice(ctx context.Context, q RepriceQuery) (out Repriced, err error) {
	since, slice, err := q.slice()
	if err != nil {
		return out, err
	}
	until := since.Add(slice)
	if until.After(q.Until) {
		until = q.Until
	}
	sheets, err := q.sheets()
	if err != nil {
		return out, fmt.Errorf("reprice: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, repriceTime)
	defer cancel()
	r := repricing{pg: p.pg, sheets: string(sheets), now: q.Now, dry: q.DryRun, before: new(big.Rat), after: new(big.Rat)}
	if q.DryRun {
		err = r.run(ctx, since, until)
	} else {
		err = p.pg.Tx(ctx, func(tx pgx.Tx) error { // a transaction of its own, which a pooler leaves on its connection
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1), set_config('idle_in_transaction_session_timeout', '0', true)", int64(repriceLock)); err != nil {
				return err
			}
			return r.run(ctx, since, until)
		})
	}
	if err != nil {
		return Repriced{}, fmt.Errorf("reprice %s to %s: %w", since.Format(time.RFC3339), until.Format(time.RFC3339), err)
	}
	out = r.sum
	out.Before, out.After = trimDecimal(r.before.FloatString(picoDigits)), trimDecimal(r.after.FloatString(picoDigits))
	if until.Before(q.Until) {
		switch {
		case out.Rows < repriceRows:
			slice *= 2
		case out.Rows > 2*repriceRows:
			slice = max(slice/2, time.Second)
		}
		out.Next = strconv.FormatInt(until.Unix(), 10) + "+" + strconv.FormatInt(int64(slice/time.Second), 10)
	}
	return out, nil
}

// slice returns where a batch begins, and for how long it is.
func (q *RepriceQuery) slice() (time.Time, time.Duration, error) {
	if q.After == "" {
		return q.Since, repriceSlice, nil
	}
	second, length, _ := strings.Cut(q.After, "+")
	at, err1 := strconv.ParseInt(second, 10, 64)
	n, err2 := strconv.ParseInt(length, 10, 32)
	if err1 != nil || err2 != nil || n < 1 {
		return time.Time{}, 0, fmt.Errorf("%w: %q is not where a batch begins", ErrRejected, q.After)
	}
	return time.Unix(at, 0), min(time.Duration(n)*time.Second, 7*day), nil
}

// quantity is how much of a cell a row used, as price.Used says.
func quantity(c price.Cell) string {
	return [price.NumCells]string{
		price.Prompt: "c.plain_in", price.CacheRead: "b.r - b.ac", price.CacheWrite: "b.w - least(a.w1h, b.w)", price.CacheWrite1h: "least(a.w1h, b.w)",
		price.InputImageTokens: "c.ii", price.InputAudio: "c.ia", price.InputAudioCache: "b.ac", price.Image: "a.images", price.Request: "1",
		price.WebSearch: "a.searches", price.ServerTool: "a.tools", price.Completion: "c.plain_out", price.Reasoning: "b.z",
		price.OutputImageTokens: "c.oi", price.OutputAudio: "b.oa", price.OutputImage: "a.outs",
	}[c]
}

// repriceSums writes the sums of a row: of the prompt, of the answer, and
// whether something that was used has no price.
func repriceSums(number string) (prompt, completion, missing string) {
	sums := [2][]string{}
	var lacking []string
	for c := range price.NumCells {
		side := 0
		if c >= price.Completion {
			side = 1
		}
		sums[side] = append(sums[side], fmt.Sprintf("(%s)%s * s.c%d", quantity(c), number, c))
		lacking = append(lacking, fmt.Sprintf("s.k & %d <> 0 AND (%s) > 0", 1<<c, quantity(c)))
	}
	return strings.Join(sums[0], " + "), strings.Join(sums[1], " + "), strings.Join(lacking, " OR ")
}

// repriceSQL prices the rows of a period and, unless it is a dry run, changes them.
// What it computes is what price.Cost does.
func repriceSQL(dry bool) string {
	var cells []string
	for c := range price.NumCells {
		cells = append(cells, fmt.Sprintf("c%d bigint", c))
	}
	most := strconv.FormatInt(price.MostCost, 10)
	prompt, completion, missing := repriceSums("")
	widePrompt, wideCompletion, _ := repriceSums("::numeric")
	write := repriceWrites
	if dry {
		write = ", rows AS (SELECT old, new FROM changed), deltas AS (SELECT 1 WHERE false)"
	}
	return `
WITH sheets AS MATERIALIZED (
	SELECT *, to_timestamp(f) AS since, coalesce(to_timestamp(u), 'infinity') AS before, coalesce(hi, 9223372036854775807) AS most
	FROM jsonb_to_recordset($1::text::jsonb) AS x (e text, f bigint, u bigint, t text, o boolean, n text, lo bigint, hi bigint, k bigint,
		p boolean, fr boolean, up boolean, s boolean, v text, ` + strings.Join(cells, ", ") + `)
), priced AS MATERIALIZED (
	SELECT l.request_id, l.timestamp, l.received_at, l.model, l.provider, l.endpoint, l.node, l.key_id, l.user_id, l.team_id, l.shadow, l.cost_usd AS old, l.cost_source AS old_source,
		CASE WHEN l.upstream_cost_usd IS NOT NULL THEN least(l.upstream_cost_usd, ` + most + ` * 0.000000000001) END AS told, s.v, s.up, s.e IS NOT NULL AS listed,
		CASE WHEN s.s AND a.p + a.c <= 1048576 AND greatest(a.images, a.outs, a.searches, a.tools) <= 1024
			THEN ((` + prompt + `) + (` + completion + `))::numeric
			ELSE least(` + widePrompt + `, ` + most + `) + least(` + wideCompletion + `, ` + most + `) END AS pico,
		CASE WHEN NOT s.p THEN 'unknown' WHEN s.k <> 0 AND (` + missing + `) THEN 'partial' WHEN s.fr THEN 'free' ELSE 'list' END AS source
	FROM api_logs l
	CROSS JOIN LATERAL (SELECT coalesce(l.prompt_tokens, 0) AS p, coalesce(l.completion_tokens, 0) AS c, coalesce(l.cache_write_1h_tokens, 0) AS w1h,
		coalesce(l.input_images, 0) AS images, coalesce(l.output_images, 0) AS outs, coalesce(l.web_searches, 0) AS searches, coalesce(l.server_tool_calls, 0) AS tools) a
	CROSS JOIN LATERAL (SELECT least(coalesce(l.cache_read_tokens, 0), a.p) AS r, least(coalesce(l.cache_write_tokens, 0), a.p - least(coalesce(l.cache_read_tokens, 0), a.p)) AS w,
		least(coalesce(l.cached_audio_tokens, 0), coalesce(l.cache_read_tokens, 0), a.p) AS ac, least(coalesce(l.reasoning_tokens, 0), a.c) AS z,
		least(coalesce(l.output_audio_tokens, 0), a.c - least(coalesce(l.reasoning_tokens, 0), a.c)) AS oa) b
	CROSS JOIN LATERAL (SELECT a.p - b.r - b.w AS rest, a.c - b.z - b.oa AS rest_out) d
	CROSS JOIN LATERAL (SELECT least(greatest(coalesce(l.input_audio_tokens, 0) - b.ac, 0), d.rest) AS ia, least(coalesce(l.output_image_tokens, 0), d.rest_out) AS oi) i
	CROSS JOIN LATERAL (SELECT i.ia, i.oi, least(coalesce(l.input_image_tokens, 0), d.rest - i.ia) AS ii,
		d.rest - i.ia - least(coalesce(l.input_image_tokens, 0), d.rest - i.ia) AS plain_in, d.rest_out - i.oi AS plain_out) c
	LEFT JOIN sheets s ON s.e = l.endpoint AND l.received_at >= s.since AND l.received_at < s.before AND a.p >= s.lo AND a.p < s.most
		AND (s.t = coalesce(l.service_tier, '') OR s.o AND position(',' || l.service_tier || ',' IN s.n) = 0)
	WHERE l.timestamp >= $2 AND l.timestamp < $3 AND l.usage_source IN ('provider', 'estimated')
), final AS (
	SELECT *, CASE WHEN told IS NOT NULL AND (up OR source IN ('partial', 'unknown')) THEN told WHEN source = 'unknown' THEN NULL ELSE trim_scale(pico * 0.000000000001) END AS new,
		CASE WHEN told IS NOT NULL AND (up OR source IN ('partial', 'unknown')) THEN 'upstream' ELSE source END AS new_source
	FROM priced WHERE listed
), changed AS MATERIALIZED (
	SELECT * FROM final WHERE new IS DISTINCT FROM old OR new_source <> old_source
)` + write + `
SELECT (SELECT count(*) FROM priced), (SELECT count(*) FROM priced WHERE NOT listed), (SELECT count(*) FROM rows),
	coalesce((SELECT sum(old) FROM rows), 0)::text, coalesce((SELECT sum(new) FROM rows), 0)::text, coalesce((SELECT jsonb_agg(d) FROM deltas d), '[]')::text`
}

// Rows that have another cost by now than the statement has read are left alone.
const repriceWrites = `, rows AS (
	UPDATE api_logs l SET cost_usd = c.new, cost_source = c.new_source, price_version = c.v, repriced_at = $4,
		original_cost_usd = CASE WHEN l.repriced_at IS NULL THEN l.cost_usd ELSE l.original_cost_usd END,
		original_price_version = CASE WHEN l.repriced_at IS NULL THEN l.price_version ELSE l.original_price_version END
	FROM changed c WHERE l.request_id = c.request_id AND l.timestamp = c.timestamp AND l.received_at = c.received_at AND l.timestamp >= $2 AND l.timestamp < $3
		AND l.cost_usd IS NOT DISTINCT FROM c.old AND l.cost_source IS NOT DISTINCT FROM c.old_source
	RETURNING c.*
), deltas AS (
	SELECT to_timestamp(floor(extract(epoch FROM timestamp) / 900) * 900) AS slot, coalesce(model, '(unknown)') AS model, provider, coalesce(endpoint, '') AS endpoint,
		coalesce(node, '') AS node, coalesce(key_id, '') AS key_id, coalesce(user_id, '') AS user_id, coalesce(team_id, '') AS team_id, sum(coalesce(new, 0) - coalesce(old, 0)) AS delta
	FROM rows WHERE shadow IS NOT TRUE GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(coalesce(new, 0) - coalesce(old, 0)) <> 0
)`

// The roll-ups follow after the rows, by hour and then by slot, each in the order
// of its key, as the statements of collectors lock them.
const (
	repriceHours = `
WITH d AS MATERIALIZED (
	SELECT date_trunc('hour', slot, 'UTC') AS hour, model AS model_id, provider, sum(delta) AS delta
	FROM jsonb_to_recordset($1::text::jsonb) AS x (slot timestamptz, model text, provider text, delta numeric) GROUP BY 1, 2, 3
), locked AS MATERIALIZED (
	SELECT 1 FROM api_stats_hourly h JOIN d USING (hour, model_id, provider) ORDER BY h.hour, h.model_id, h.provider FOR NO KEY UPDATE OF h
)
UPDATE api_stats_hourly h SET total_cost_usd = h.total_cost_usd + d.delta FROM d
WHERE h.hour = d.hour AND h.model_id = d.model_id AND h.provider = d.provider AND (SELECT count(*) FROM locked) > 0`
	repriceSlots = `
WITH d AS MATERIALIZED (
	SELECT * FROM jsonb_to_recordset($1::text::jsonb)
		AS x (slot timestamptz, model text, provider text, endpoint text, node text, key_id text, user_id text, team_id text, delta numeric)
), locked AS MATERIALIZED (
	SELECT 1 FROM api_usage u JOIN d USING (slot, model, provider, endpoint, node, key_id, user_id, team_id)
	ORDER BY u.slot, u.model, u.provider, u.endpoint, u.node, u.key_id, u.user_id, u.team_id FOR NO KEY UPDATE OF u
)
UPDATE api_usage u SET cost_usd = u.cost_usd + d.delta FROM d
WHERE u.slot = d.slot AND u.model = d.model AND u.provider = d.provider AND u.endpoint = d.endpoint AND u.node = d.node AND u.key_id = d.key_id AND u.user_id = d.user_id
	AND u.team_id = d.team_id AND (SELECT count(*) FROM locked) > 0`
)
