package requestlog

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// repricePage is how many rows a batch has: what D1 takes at once.
const repricePage = 1000

// Reprice implements Store.
func (s *SQLite) Reprice(ctx context.Context, q RepriceQuery) (out Repriced, err error) {
	after := q.After
	if after == "" {
		after = "gen-" + strconv.FormatInt(q.Since.Unix(), 10)
	}
	found, err := s.texts(ctx, repriceSelect(), after, "gen-"+strconv.FormatInt(q.Until.Unix(), 10))
	if err != nil {
		return out, fmt.Errorf("reprice: %w", err)
	}
	var before, now int64
	changes := [][5]any{}
	for _, cells := range found {
		row, err := readPriced(cells)
		if err != nil {
			return out, fmt.Errorf("reprice %s: %w", orEmpty(cells[0]), err)
		}
		if row.source == "" || row.source == wire.UsageNone {
			continue
		}
		out.Rows++
		list := q.at(row.endpoint, row.bill.Unix)
		if list == nil {
			out.Unlisted++
			continue
		}
		if change, cost := row.change(list); change != nil {
			out.Changed++
			changes = append(changes, *change)
			before, now = before+row.cost.value, now+cost
		}
	}
	if !q.DryRun && len(changes) > 0 {
		if err := s.writeRepriced(ctx, changes, q.Now.UTC().Format("2006-01-02T15:04:05Z")); err != nil {
			return Repriced{}, err
		}
	}
	if len(found) == repricePage {
		out.Next = orEmpty(found[repricePage-1][0])
	}
	out.Before, out.After = formatPico(before), formatPico(now)
	return out, nil
}

// repriceCounts are the counts that have a price, in the order of priced.counts.
func repriceCounts() []string {
	return []string{
		"prompt_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "input_image_tokens", "input_audio_tokens", "cached_audio_tokens",
		"completion_tokens", "reasoning_tokens", "output_image_tokens", "output_audio_tokens", "input_images", "output_images", "web_searches", "server_tool_calls",
	}
}

func repriceSelect() string {
	columns := []string{
		"request_id", "usage_source", "endpoint", "service_tier", "cost_source", "CAST(cost_pico AS TEXT)", "CAST(upstream_cost_pico AS TEXT)",
		"CAST(unixepoch(received_at) AS TEXT)",
	}
	for _, name := range repriceCounts() {
		columns = append(columns, "CAST(coalesce("+name+", 0) AS TEXT)")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM api_logs WHERE request_id > $1 AND request_id < $2 ORDER BY request_id LIMIT " + strconv.Itoa(repricePage)
}

// priced is a row as far as its price goes.
type priced struct {
	id, source, endpoint string
	costSource           *string
	cost                 optional[int64]
	bill                 price.Bill
}

func readPriced(cells []*string) (r priced, err error) {
	r = priced{id: orEmpty(cells[0]), source: orEmpty(cells[1]), endpoint: orEmpty(cells[2]), costSource: cells[4]}
	r.bill.Tier = orEmpty(cells[3])
	if cells[5] != nil {
		r.cost.ok = true
		if err = numbers(cells[5:6], &r.cost.value); err != nil {
			return r, err
		}
	}
	if cells[6] != nil {
		r.bill.Told = true
		if err = numbers(cells[6:7], &r.bill.Upstream); err != nil {
			return r, err
		}
	}
	u := &r.bill.Used
	return r, numbers(cells[7:], &r.bill.Unix,
		&u.Prompt, &u.CacheRead, &u.CacheWrite, &u.CacheWrite1h, &u.InputImageTokens, &u.InputAudio, &u.InputAudioCache,
		&u.Completion, &u.Reasoning, &u.OutputImageTokens, &u.OutputAudio, &u.Images, &u.OutputImages, &u.WebSearches, &u.ServerTools)
}

// change prices the row, and returns what writeRepriced takes: id, old cost, new
// cost, source and version; nil if nothing changes.
func (r *priced) change(list *price.List) (*[5]any, int64) {
	c := list.Cost(&r.bill)
	known := c.Source != wire.CostSourceUnknown
	if known == r.cost.ok && (!known || c.Total() == r.cost.value) && (r.costSource == nil || *r.costSource == c.Source) {
		return nil, 0
	}
	out := [5]any{r.id, nil, nil, c.Source, c.Version}
	if r.cost.ok {
		out[1] = r.cost.value
	}
	if !known {
		return &out, 0
	}
	out[2] = c.Total()
	return &out, c.Total()
}

// writeRepriced changes rows and roll-ups in one transaction. Rows whose cost is
// not what was read any more are left out of all of it.
func (s *SQLite) writeRepriced(ctx context.Context, changes [][5]any, now string) error {
	text, err := json.Marshal(changes)
	if err != nil {
		return fmt.Errorf("reprice: %w", err)
	}
	const rows = "(SELECT l.*, value->>2 AS new_pico, value->>3 AS new_source, value->>4 AS new_version FROM json_each($1) CROSS JOIN api_logs l ON l.request_id = value->>0 WHERE l.cost_pico IS (value->>1))"
	const delta = "sum(coalesce(new_pico, 0) - coalesce(cost_pico, 0)) AS delta FROM " + rows + " WHERE " + notShadow
	_, err = s.db.Write(ctx,
		database.SQL("UPDATE api_usage SET cost_pico = api_usage.cost_pico + d.delta FROM (SELECT substr(timestamp, 1, 14) || printf('%02d', CAST(substr(timestamp, 15, 2) AS INTEGER) / 15 * 15) || ':00Z' AS slot, "+
			"coalesce(model, '(unknown)') AS model, provider, coalesce(endpoint, '') AS endpoint, coalesce(node, '') AS node, coalesce(key_id, '') AS key_id, coalesce(user_id, '') AS user_id, coalesce(team_id, '') AS team_id, "+
			delta+" GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) AS d WHERE api_usage.slot = d.slot AND api_usage.model = d.model AND api_usage.provider = d.provider AND api_usage.endpoint = d.endpoint "+
			"AND api_usage.node = d.node AND api_usage.key_id = d.key_id AND api_usage.user_id = d.user_id AND api_usage.team_id = d.team_id", string(text)),
		database.SQL("UPDATE api_stats_hourly SET total_cost_pico = total_cost_pico + d.delta FROM (SELECT substr(timestamp, 1, 13) || ':00:00Z' AS hour, coalesce(model, '(unknown)') AS model_id, provider, "+
			delta+" GROUP BY 1, 2, 3) AS d WHERE api_stats_hourly.hour = d.hour AND api_stats_hourly.model_id = d.model_id AND api_stats_hourly.provider = d.provider", string(text)),
		database.SQL("UPDATE api_logs SET original_cost_pico = CASE WHEN api_logs.repriced_at IS NULL THEN api_logs.cost_pico ELSE api_logs.original_cost_pico END, "+
			"original_price_version = CASE WHEN api_logs.repriced_at IS NULL THEN api_logs.price_version ELSE api_logs.original_price_version END, "+
			"cost_pico = d.new_pico, cost_source = d.new_source, price_version = d.new_version, repriced_at = $2 FROM "+rows+" AS d WHERE api_logs.request_id = d.request_id", string(text), now))
	if err != nil {
		return fmt.Errorf("reprice %d rows: %w", len(changes), err)
	}
	return nil
}
