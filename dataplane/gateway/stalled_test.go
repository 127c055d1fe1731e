package gateway_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/wire"
)

// A client that stops reading is dropped after a while, and its upstream with it.
func TestStalledReadersAreDropped(t *testing.T) {
	left := make(chan struct{})
	url := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		chunk := `data: {"choices":[{"index":0,"delta":{"content":"` + strings.Repeat("x", 32<<10) + `"}}]}` + "\n\n"
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, chunk); err != nil {
				break
			}
		}
		close(left)
	})
	n := start(t, nodeOptions{gateway: gateway.Options{Stall: 200 * time.Millisecond}}, model("m", endpoint("m:x", "vllm", url)))
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, sized(streamed(ping))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1000)); err != nil { // and then nothing more
		t.Fatal(err)
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Fatal("the upstream is still held")
	}
	if e := n.event(0); e.End != wire.EndClientGone {
		t.Errorf("event %+v", e)
	}
}
