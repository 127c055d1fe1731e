package requestlog_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	requestlogtest.Conformance(t, requestlogtest.SQLite)
}
