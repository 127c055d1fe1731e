package server_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
)

// A page that is left costs the database nothing more: its query is cancelled there.
func TestALeftPageCancelsItsQuery(t *testing.T) {
	t.Parallel()
	db := requestlogtest.Postgres(t)
	p := start(t, db, nil)
	waiting := func() int {
		return db.Int(t, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'")
	}
	for _, path := range []string{"/admin/logs?model=m&errors=true", "/admin/series?since=30d", "/admin/stats?hours=24", "/admin/usage?by=key"} {
		release := db.Lock(t, "api_logs", "api_usage", "api_usage_by")
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
			if err == nil {
				req.Header.Set("Authorization", "Bearer "+token)
				_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is no answer
			}
			left <- err
		}()
		eventually.True(t, path+" is being answered", func() bool { return waiting() == 1 })
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", path, err)
		}
		eventually.True(t, path+" is cancelled at the database", func() bool { return waiting() == 0 })
		release()
	}
}
