package upstream_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// Open connections are counted, idle ones included, until they are closed.
func TestConnections(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "{}")
	}
	plain, secure := httptest.NewServer(http.HandlerFunc(answer)), newHosted(t, answer)
	t.Cleanup(plain.Close)
	all := upstream.NewSenders(time.Second)
	counts := func(wantPlain, wantSecure int) {
		t.Helper()
		eventually.True(t, "the connections are counted", func() bool {
			p, s := all.Connections()
			return p == wantPlain && s == wantSecure
		})
	}
	counts(0, 0)
	for _, url := range []string{plain.URL, secure.URL, secure.URL} {
		s, err := all.For(url)
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(s, url, &upstream.Cancel{}); err != nil {
			t.Fatal(err)
		}
	}
	counts(1, 1)
	secure.CloseClientConnections()
	counts(1, 0)
}
