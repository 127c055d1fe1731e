package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
)

// raw sends bytes as they are and returns everything that comes back until the
// node closes the connection, or says nothing for a while.
func (n *node) raw(text string) string {
	n.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, text) }()
	if err := conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		n.t.Fatal(err)
	}
	out, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !strings.Contains(err.Error(), "reset") {
		n.t.Fatal(err)
	}
	return string(out)
}

func post(headers, body string) string {
	return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + headers + "\r\n" + body
}

func sized(body string) string {
	return post(fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
}

// What clients send by mistake or on purpose gets a clean refusal, or the
// connection is closed; the node serves on and nothing of it reaches an upstream.
func TestHostileClients(t *testing.T) {
	up := server(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s reached the upstream", r.URL) })
	n := start(t, nodeOptions{gateway: gateway.Options{MaxBody: 64 << 10}}, model("m", endpoint("m:x", "vllm", up)))
	f := func(name, request, want string) {
		t.Helper()
		got := n.raw(request)
		status, _, _ := strings.Cut(got, "\r\n")
		if !strings.Contains(status, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, status, want)
		}
		if want != "" && !strings.Contains(got, `{"error":{"code":`+want+",") {
			t.Errorf("%s: no error object in %q", name, got)
		}
	}
	nested := func(depth int) string {
		return `{"messages":[{"role":"user","content":"x"}],"metadata":` + strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) + "}"
	}
	f("not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400")
	f("no host", "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "400")
	f("oversized header", post("X: "+strings.Repeat("y", 64<<10)+"\r\nContent-Length: 2\r\n", "{}"), "431")
	f("thousands of headers", post(strings.Repeat("X-Y: z\r\n", 10_000)+"Content-Length: 2\r\n", "{}"), "431")
	f("header with NUL", post("X: a\x00b\r\nContent-Length: 2\r\n", "{}"), "400")
	f("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}x"), "400")
	f("length and chunks", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "400")
	f("negative length", post("Content-Length: -5\r\n", "{}"), "400")
	f("length beyond all", post("Content-Length: 99999999999999999999\r\n", "{}"), "400")
	f("too large", sized(strings.Repeat("x", 80<<10)), "413")
	f("endless chunks", post("Transfer-Encoding: chunked\r\n", strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", 40)), "413")
	f("broken chunks", post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n"), "400")
	f("invalid UTF-8", sized("{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}"), "400")
	f("NUL in a string", sized("{\"messages\":[{\"role\":\"user\",\"content\":\"a\x00b\"}]}"), "400")
	f("ten thousand levels", sized(nested(10_000)), "400")
	f("NULs", sized(strings.Repeat("\x00", 1000)), "400")
	f("two documents", sized(`{"messages":[]}{"messages":[]}`), "400")
	f("lone surrogate in the model's name", sized(`{"model":"\ud800","messages":[{"role":"user","content":"x"}]}`), "400")
	f("model given twice", sized(`{"model":"m","model":"m","messages":[{"role":"user","content":"x"}]}`), "400")
	f("nothing", "", "")
	f("half a request", post("Content-Length: 100\r\n", `{"mess`), "")
	if r := n.do("GET", "/health", ""); r.StatusCode != 200 || !strings.Contains(r.body, `"in_flight":0`) || strings.Contains(r.body, "panicked") {
		t.Errorf("afterwards: %d %s", r.StatusCode, r.body)
	}
}

// Requests that are sent ahead are answered one after the other, in order.
func TestPipelining(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	body := ping
	out := n.raw(strings.Repeat(sized(body), 3) + "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
	r := bufio.NewReader(strings.NewReader(out))
	for i := range 4 {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("answer %d: %v\n%s", i, err, out)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || (i == 3) != strings.Contains(string(b), `"status":"healthy"`) {
			t.Errorf("answer %d: %d %s %v", i, resp.StatusCode, b, err)
		}
	}
}

// Hundreds who send a request byte by byte, and never its end, keep no one else
// from being served.
func TestSlowSenders(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	for range 500 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "POST /v1/chat/completions HTTP/1.1\r\nHo"); err != nil {
			t.Fatal(err)
		}
	}
	if r := n.chat(ping); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := n.do("GET", "/health", ""); !strings.Contains(r.body, `"in_flight":0`) {
		t.Errorf("half a request counts as one: %s", r.body)
	}
}
