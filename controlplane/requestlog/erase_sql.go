package requestlog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/database"
)

// chunk makes the statements that erase some rows: ids is a JSON array, first and
// last are the bounds of their times.
type chunk struct {
	d                dialect
	ids, first, last string
	pseudonym        string
}

// selected is the condition for the rows, and args its parameters.
const selected = "request_id IN (%list) AND timestamp >= %first AND timestamp <= %last"

func (c *chunk) where() string {
	return strings.NewReplacer("%list", c.d.list("$1"), "%first", c.d.moment("$2"), "%last", c.d.moment("$3")).Replace(selected)
}

func (c *chunk) sql(text string, more ...any) database.Statement {
	return database.SQL(text, append([]any{c.ids, c.first, c.last}, more...)...)
}

// begin keeps collectors out, whose statements lock the same roll-ups in another
// order.
func (c *chunk) begin() []database.Statement {
	if c.d.lock == "" {
		return nil
	}
	return []database.Statement{database.SQL(c.d.lock)}
}

// pair is a column of a roll-up, and how it is computed from rows.
type pair struct{ column, from string }

func (p pair) String() string { return p.from + " AS " + p.column }

// usageSums are the figures of api_usage.
func usageSums(d dialect) (list []pair) {
	list = []pair{{"request_count", "count(*)"}, {"error_count", "sum(CASE WHEN status_code >= 400 THEN 1 ELSE 0 END)"}}
	for _, column := range append(usageCounts()[2:], d.costColumn, "upstream_"+d.costColumn) {
		list = append(list, pair{column, "coalesce(sum(" + column + "), 0)"})
	}
	return append(list, pair{"latency_sum_ms", "sum(latency_ms)"})
}

// usageGroups are what the lines of api_usage are by.
func usageGroups(d dialect) []pair {
	list := []pair{{"slot", d.slot("timestamp")}}
	for _, by := range UsageBy() {
		list = append(list, pair{usageColumn(by), logColumn(by)})
	}
	return list
}

// hourlySums are the figures of api_stats_hourly.
func hourlySums(d dialect) (list []pair) {
	for _, p := range usageSums(d) {
		switch p.column {
		case "request_count":
			list = append(list, p, pair{"success_count", "sum(CASE WHEN status_code < 400 THEN 1 ELSE 0 END)"})
		case "error_count", "latency_sum_ms":
			list = append(list, p)
		default:
			list = append(list, pair{"total_" + strings.TrimPrefix(p.column, "total_"), p.from})
		}
	}
	return list
}

func hourlyGroups(d dialect) []pair {
	return []pair{{"hour", d.hourSlot("timestamp")}, {"model_id", logColumn("model")}, {"provider", "provider"}}
}

func latencyGroups(d dialect, kind string) []pair {
	return []pair{
		{"hour", d.hourSlot("timestamp")},
		{"kind", "'" + kind + "'"},
		{"model", logColumn("model")},
		{"provider", "provider"},
		{"endpoint", logColumn("endpoint")},
		{"node", logColumn("node")},
		{"bucket", kind + "_bucket"},
	}
}

// columns writes pairs for a select list.
func columns(list ...pair) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// groupPlaces are the first n places of a select list.
func groupPlaces(n int) string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = strconv.Itoa(i + 1)
	}
	return strings.Join(texts, ", ")
}

// subtract takes what a query adds up from a roll-up.
func subtract(table string, groups, sums []pair, from string) string {
	set, same := make([]string, len(sums)), make([]string, len(groups))
	for i, p := range sums {
		set[i] = p.column + " = " + table + "." + p.column + " - d." + p.column
	}
	for i, p := range groups {
		same[i] = table + "." + p.column + " = d." + p.column
	}
	return "UPDATE " + table + " SET " + strings.Join(set, ", ") + " FROM (SELECT " + columns(slices.Concat(groups, sums)...) + " FROM " + from + " GROUP BY " + groupPlaces(len(groups)) +
		") AS d WHERE " + strings.Join(same, " AND ")
}

// rollups moves the rows' share of the roll-ups, or takes it away.
func (c *chunk) rollups() (list []database.Statement) {
	from := "api_logs WHERE " + c.where()
	counted := from + " AND " + notShadow
	if c.pseudonym != "" {
		list = append(list, c.sql(c.renamed(counted, usageGroups(c.d), append(usageSums(c.d), pair{"last_second", "max(timestamp)"}), "$4"), c.pseudonym))
	} else {
		list = append(list, c.sql(`INSERT INTO api_erased (node, spool_epoch, first_seq, last_seq, first_time, last_time)
			SELECT node, spool_epoch, min(seq), max(seq), min(timestamp), max(timestamp) FROM (
				SELECT coalesce(node, '') AS node, coalesce(spool_epoch, '') AS spool_epoch, seq, timestamp,
					seq - row_number() OVER (PARTITION BY node, spool_epoch ORDER BY seq) AS run FROM `+from+` AND seq IS NOT NULL) AS s
			WHERE true GROUP BY node, spool_epoch, run ON CONFLICT (node, spool_epoch, first_seq) DO NOTHING`))
		for _, kind := range []string{"latency", "ttft"} {
			list = append(list, c.sql(subtract("api_latency", latencyGroups(c.d, kind), []pair{{"request_count", "count(*)"}}, counted+" AND "+kind+"_bucket IS NOT NULL")))
		}
		list = append(list, c.sql(subtract("api_stats_hourly", hourlyGroups(c.d), hourlySums(c.d), counted)))
	}
	list = append(list, c.sql(subtract("api_usage", usageGroups(c.d), usageSums(c.d), counted)))
	for table, column := range map[string]string{"api_usage": "slot", "api_stats_hourly": "hour", "api_latency": "hour"} {
		list = append(list, database.SQL("DELETE FROM "+table+" WHERE request_count <= 0 AND "+column+" >= "+c.d.hourSlot(c.d.moment("$1"))+" AND "+column+" <= "+c.d.moment("$2"), c.first, c.last))
	}
	return list
}

// renamed adds lines for the pseudonym to api_usage.
func (c *chunk) renamed(from string, groups, sums []pair, pseudonym string) string {
	groups = slices.Clone(groups)
	for i, p := range groups {
		if p.column == "key_id" || p.column == "user_id" {
			groups[i].from = "CASE WHEN " + p.from + " = '' THEN '' ELSE " + c.d.text(pseudonym) + " END"
		}
	}
	names, keys, set := []string(nil), []string(nil), []string(nil)
	for _, p := range groups {
		names, keys = append(names, p.column), append(keys, p.column)
	}
	for _, p := range sums {
		names = append(names, p.column)
		value := "api_usage." + p.column + " + excluded." + p.column
		if p.column == "last_second" {
			value = "CASE WHEN api_usage.last_second < excluded.last_second THEN excluded.last_second ELSE api_usage.last_second END"
		}
		set = append(set, p.column+" = "+value)
	}
	return "INSERT INTO api_usage (" + strings.Join(names, ", ") + ") SELECT " + columns(slices.Concat(groups, sums)...) + " FROM " + from + " GROUP BY " + groupPlaces(len(groups)) +
		" ON CONFLICT (" + strings.Join(keys, ", ") + ") DO UPDATE SET " + strings.Join(set, ", ")
}

func (c *chunk) contents() database.Statement {
	return database.SQL("DELETE FROM api_contents WHERE request_id IN ("+c.d.list("$1")+")", c.ids)
}

// rows removes the rows, or what leads to a person from them: what clients sent
// besides the prompt, too.
func (c *chunk) rows() database.Statement {
	if c.pseudonym == "" {
		return c.sql("DELETE FROM api_logs WHERE " + c.where())
	}
	set := []string{
		"user_id = CASE WHEN user_id IS NULL THEN NULL ELSE " + c.d.text("$4") + " END",
		"key_id = CASE WHEN key_id IS NULL THEN NULL ELSE " + c.d.text("$4") + " END",
	}
	for _, column := range []string{"session_id", "http_request_id", "trace_id", "client_ip", "user_agent", "app_title", "referer", "params", "metadata", "error"} {
		set = append(set, column+" = NULL")
	}
	return c.sql("UPDATE api_logs SET "+strings.Join(set, ", ")+" WHERE "+c.where(), c.pseudonym)
}
