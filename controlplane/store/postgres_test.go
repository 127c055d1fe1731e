package store_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/store/storetest"
)

func TestPostgres(t *testing.T) { storetest.Conformance(t, storetest.Postgres) }
