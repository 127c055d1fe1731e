package dispatch_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/shared/fault"
)

// What an attempt at "a" leaves in its counts, beside "b" that answers.
func TestAttemptsAreCountedByTheirEnd(t *testing.T) {
	f := func(name, body, want string, s script, leave time.Duration) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStage(t, endpoint{id: "a", scripts: []script{s}}, endpoint{id: "b", scripts: []script{says(hello)}})
				st.start(body, dispatch.Policy{})
				if leave > 0 {
					_, _ = st.run.Next(leave)
					st.cancel.Fire()
					st.run.Abandon(fault.New(fault.Canceled, "The client disconnected"))
				} else {
					_, _ = st.finish()
				}
				st.run.Close()
				st.run.Close() // counts nothing twice
				c := st.model.Endpoints[0].State.Counts.Totals("a")
				got := fmt.Sprintf("%d requests, %d errors, %d rejected, %d of %d streams begun, first token %v", c.Requests, c.Errors, c.Rejected, c.Begun, c.Streams, c.FirstToken)
				if got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			})
		})
	}
	f("a unary answer", unaryBody, "1 requests, 0 errors, 0 rejected, 0 of 0 streams begun, first token []", says(hello), 0)
	f("a stream", streamedBody, "1 requests, 0 errors, 0 rejected, 1 of 1 streams begun, first token [1]", says(hello), 0)
	f("a slow stream", streamedBody, "1 requests, 0 errors, 0 rejected, 1 of 1 streams begun, first token [0 0 0 0 0 0 0 0 0 0 0 0 1]", script{slow: 2100 * time.Millisecond, pieces: says(hello).pieces}, 0)
	f("a stream that fails", streamedBody, "1 requests, 1 errors, 0 rejected, 1 of 1 streams begun, first token []", refuses(500), 0)
	f("a unary answer that fails", unaryBody, "1 requests, 1 errors, 0 rejected, 0 of 0 streams begun, first token []", refuses(500), 0)
	f("a request at fault", streamedBody, "1 requests, 0 errors, 1 rejected, 1 of 1 streams begun, first token []", refuses(400), 0)
	f("a client that leaves soon", streamedBody, "0 requests, 0 errors, 0 rejected, 1 of 1 streams begun, first token []", script{slow: time.Minute}, 500*time.Millisecond)
	f("a client that waited in vain", streamedBody, "0 requests, 0 errors, 0 rejected, 1 of 1 streams begun, first token [0 0 0 0 0 0 0 0 0 0 0 0 1]", script{slow: time.Minute}, 2500*time.Millisecond)
}
