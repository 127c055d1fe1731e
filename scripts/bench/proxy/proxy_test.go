package proxy_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/scripts/bench/proxy"
	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

func start(t *testing.T) (*upstream.Server, string) {
	t.Helper()
	up, err := upstream.Start(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- proxy.Serve(l, up.Addr()) }()
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), up.Close(), <-served); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return up, "http://" + l.Addr().String() + "/v1/chat/completions"
}

func post(t *testing.T, url, body string) io.Reader {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.Body
}

func TestWhatGoesInComesOut(t *testing.T) {
	up, url := start(t)
	body := `{"model":"m","messages":"` + strings.Repeat("x", 100<<10) + ` echo:abc"}`
	text, err := io.ReadAll(post(t, url, body))
	if err != nil || !strings.Contains(string(text), "abc lorem") {
		t.Errorf("%q %v", text, err)
	}
	if last, ok := up.Last("m"); !ok || last.Body != body || last.Path != "/v1/chat/completions" {
		t.Errorf("the upstream got %d bytes at %s", len(last.Body), last.Path)
	}
}

// The upstream stalls after two chunks: both have to be here by then.
func TestChunksAreRelayedAsTheyArrive(t *testing.T) {
	up, url := start(t)
	if err := up.Set(upstream.Rule{Script: upstream.Script{Fault: upstream.Fault{Kind: upstream.Stall, At: 2}}}); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(post(t, url, `{"model":"m","stream":true}`))
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"content":" 1 "`) {
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}
