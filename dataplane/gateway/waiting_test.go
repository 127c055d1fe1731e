package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/wire"
)

// chatty is an upstream that sends something first and then, without an end,
// something that no client is shown. left is closed when it has been left.
func chatty(t *testing.T, contentType, first, filler string) (url string, left <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{})
	leave := sync.OnceFunc(func() { close(gone) }) // the request may be retried
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		defer leave()
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, first)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, filler); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	}), gone
}

const (
	helloEvent = `data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}` + "\n\n"
	emptyDelta = `data: {"choices":[{"index":0,"delta":{"content":""}}]}` + "\n\n"
	comment    = ": OPENROUTER PROCESSING\n\n"
)

// Whatever the upstream sends meanwhile, a client that leaves is noticed, also
// one that has sent more than its request.
func TestLeavingIsNoticedBesideAChattyUpstream(t *testing.T) {
	f := func(name, contentType, first, filler, request string) {
		t.Helper()
		url, left := chatty(t, contentType, first, filler)
		n := start(t, nodeOptions{}, model("m", endpoint("m:x", "vllm", url)))
		conn := n.open()
		n.send(conn, request)
		waitFor(t, func() bool { return n.gw.InFlight() == 1 })
		if first == helloEvent {
			if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(got, "200") {
				t.Fatalf("%s: %q, %v", name, got, err)
			}
		}
		_ = conn.Close()
		select {
		case <-left:
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: the upstream goes on", name)
		}
		if e := n.event(0); e.End != wire.EndClientGone || e.Status != 499 {
			t.Errorf("%s: %+v", name, e)
		}
	}
	const sse, doc = "text/event-stream", "application/json"
	f("comments", sse, "", comment, sized(streamed(ping)))
	f("empty deltas", sse, "", emptyDelta, sized(streamed(ping)))
	f("content and then comments", sse, helloEvent, comment, sized(streamed(ping)))
	f("content and then empty deltas", sse, helloEvent, emptyDelta, sized(streamed(ping)))
	f("blank lines", sse, "", "\n", sized(streamed(ping)))
	f("a trickling body", doc, `{"choices":[`, " ", sized(ping))
	f("a stray line end", doc, `{"choices":[`, " ", sized(ping)+"\r\n")
	f("the next request", sse, "", comment, sized(streamed(ping))+sized(ping))
}

// The wait of a client is measured from what it got last.
func TestKeepAlivesComeOnTimeBesideAChattyUpstream(t *testing.T) {
	f := func(first, filler string) {
		t.Helper()
		url, _ := chatty(t, "text/event-stream", first, filler)
		n := start(t, nodeOptions{gateway: gateway.Options{KeepAlive: 100 * time.Millisecond}}, model("m", endpoint("m:x", "vllm", url)))
		conn := n.open()
		begun := time.Now()
		n.send(conn, sized(streamed(ping)))
		comments := 0
		s := bufio.NewScanner(conn)
		for comments < 3 && s.Scan() {
			if strings.HasPrefix(s.Text(), ": ") {
				comments++
			}
		}
		if took := time.Since(begun); comments < 3 || took < 250*time.Millisecond || took > 3*time.Second {
			t.Errorf("%q and then %q: %d comments in %s", first, filler, comments, took)
		}
	}
	for _, first := range []string{"", helloEvent} {
		for _, filler := range []string{comment, emptyDelta, "\n"} {
			f(first, filler)
		}
	}
}
