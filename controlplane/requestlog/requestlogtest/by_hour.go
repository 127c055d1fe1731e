package requestlogtest

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/database"
)

// SameByHour holds api_usage_by, which PostgreSQL alone has, to api_usage: line by line and figure by figure.
func SameByHour(t *testing.T, db *Database) {
	t.Helper()
	if db.Config.Backend != database.BackendPostgres {
		return
	}
	const figures = "request_count, error_count, prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost_usd"
	const want = `SELECT dimension, date_trunc('hour', slot, 'UTC') AS hour, name, sum(request_count)::bigint, sum(error_count)::bigint, sum(prompt_tokens)::bigint, sum(completion_tokens)::bigint,
		sum(reasoning_tokens)::bigint, sum(cache_read_tokens)::bigint, sum(cache_write_tokens)::bigint, sum(total_tokens)::bigint, sum(cost_usd)
		FROM api_usage, LATERAL (VALUES ('model', model), ('provider', provider), ('endpoint', endpoint), ('node', node), ('key', key_id), ('user', user_id), ('team', team_id)) AS d (dimension, name)
		GROUP BY 1, 2, 3`
	const got = "SELECT dimension, hour, name, " + figures + " FROM api_usage_by"
	if extra := db.Query(t, "("+got+") EXCEPT ("+want+")"); len(extra) > 0 {
		t.Errorf("api_usage_by has %d lines that api_usage does not sum up to, such as %v", len(extra), extra[0])
	}
	if missing := db.Query(t, "("+want+") EXCEPT ("+got+")"); len(missing) > 0 {
		t.Errorf("api_usage_by lacks %d lines, such as %v", len(missing), missing[0])
	}
}
