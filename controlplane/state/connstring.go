package state

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/store"
)

// connString has the defaults that the request log has.
func connString(c store.PostgresConfig) string {
	if !c.DSN.Empty() {
		return c.DSN.Reveal()
	}
	q := url.Values{
		"host":    {cmp.Or(c.Host, "localhost")},
		"port":    {strconv.Itoa(cmp.Or(c.Port, 5432))},
		"dbname":  {cmp.Or(c.Name, "gateway")},
		"user":    {cmp.Or(c.User, "gateway")},
		"sslmode": {cmp.Or(c.SSLMode, "prefer")},
	}
	if !c.Password.Empty() {
		q.Set("password", c.Password.Reveal())
	}
	if strings.Contains(c.Host, ",") {
		q.Set("target_session_attrs", "read-write")
	}
	return "postgres:///?" + q.Encode()
}
