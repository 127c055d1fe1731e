package requestlog_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestSQLite(t *testing.T) { requestlogtest.Conformance(t, requestlogtest.SQLite) }
