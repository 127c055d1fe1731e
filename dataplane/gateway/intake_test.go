package gateway_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

// open connects to the node.
func (n *node) open() net.Conn {
	n.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		n.t.Fatal(err)
	}
	return conn
}

func (n *node) send(conn net.Conn, text string) {
	n.t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		n.t.Fatal(err)
	}
}

// Strangers send bodies that the node does not keep.
func TestABodyWithoutAKeyCostsNothing(t *testing.T) {
	n := start(t, guarded(map[string]wire.Key{"k": {ID: "k1"}}), model("demo", endpoint("demo:demo-api", "demo", "")))
	before := heap()
	var wg sync.WaitGroup
	part := strings.Repeat("x", 64<<10)
	for range 20 {
		wg.Go(func() {
			conn := n.open()
			n.send(conn, post("Content-Length: 50000000\r\n", part))
			for range 100 { // until the node has had enough
				if _, err := io.WriteString(conn, part); err != nil {
					break
				}
			}
		})
	}
	wg.Wait()
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("20 connections without a key took %d bytes", grown)
	}
	conn := n.open()
	n.send(conn, post("Content-Length: 100000\r\n", strings.Repeat("x", 100_000))+"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
	r := bufio.NewReader(conn)
	if status := nextStatus(t, r); status != 401 {
		t.Errorf("status %d", status)
	}
	if status := nextStatus(t, r); status != 200 {
		t.Errorf("after a body that could be passed over: status %d", status)
	}
	conn = n.open()
	n.send(conn, post("Content-Length: 5000000\r\nExpect: 100-continue\r\n", ""))
	if status := nextStatus(t, bufio.NewReader(conn)); status != 401 {
		t.Errorf("a client that asked first: status %d", status)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

func nextStatus(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// The length that a request announces counts before it has arrived, and no
// longer than its connection.
func TestAnnouncedBodiesCount(t *testing.T) {
	n := start(t, nodeOptions{gateway: gateway.Options{MaxHeld: 50_000}}, model("demo", endpoint("demo:demo-api", "demo", "")))
	large := `{"messages":[{"role":"user","content":"` + strings.Repeat("x", 30_000) + `"}]}`
	conn := n.open()
	n.send(conn, post("Content-Length: 40000\r\nExpect: 100-continue\r\n", ""))
	if got, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(got, "100") {
		t.Fatalf("%q, %v", got, err)
	}
	n.send(conn, strings.Repeat(" ", 10_000))
	waitFor(t, func() bool { return n.gw.Held() == 40_000 })
	decode[any](t, n.chat(large), 503)
	_ = conn.Close()
	waitFor(t, func() bool { return n.gw.Held() == 0 })
	decode[any](t, n.chat(large), 200)
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	eventually.True(t, "the condition holds", done)
}

// What servers could read in different ways is not read at all, and nothing that
// follows it on the connection is a request.
func TestFraming(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	f := func(request, want string) {
		t.Helper()
		got := n.raw(request + "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
		status, _, _ := strings.Cut(got, "\r\n")
		if !strings.Contains(status, want) || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "Connection: close") {
			t.Errorf("%q: %q, want one %s", request, got, want)
		}
	}
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(ping), ping)
	both := fmt.Sprintf("Content-Length: %d\r\n", len(chunked))
	f(post(both+"Transfer-Encoding: chunked\r\n", chunked), "400")
	f(post("transfer-encoding: chunked\r\n"+strings.ToLower(both), chunked), "400")
	f(post(fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: identity\r\n", len(ping)), ping), "400")
	f(strings.Replace(sized(ping), "Host: localhost\r\n", "Host: localhost\r\nX-A: b\r\n c\r\n", 1), "400")
	f(strings.Replace(sized(ping), "Host: localhost\r\n", "Host: localhost\r\nX-A: b\r\n\tc\r\n", 1), "400")
	for _, version := range []string{"HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/3", "HTTP/11.1", "http/1.1"} {
		f(strings.Replace(sized(ping), "HTTP/1.1", version, 1), "505")
	}
	if got := n.raw(post("Transfer-Encoding: chunked\r\n", chunked) + "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"); strings.Count(got, "HTTP/1.1 200") != 2 {
		t.Errorf("chunks alone: %q", got)
	}
}

// A client of HTTP/1.0 knows no chunks: what it gets ends with the connection.
func TestHTTP10(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	f := func(body string) string {
		t.Helper()
		conn := n.open()
		n.send(conn, strings.Replace(sized(body), "HTTP/1.1", "HTTP/1.0", 1))
		got, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		head, text, _ := strings.Cut(string(got), "\r\n\r\n")
		if !strings.HasPrefix(head, "HTTP/1.1 200") || strings.Contains(head, "Transfer-Encoding") || !strings.Contains(head, "X-Generation-Id") {
			t.Errorf("%s", got)
		}
		return text
	}
	if got := f(streamed(ping)); !strings.HasPrefix(got, "data: {") || !strings.HasSuffix(got, "}\n\ndata: [DONE]\n\n") {
		t.Errorf("%s", got)
	}
	if e := n.event(0); e.End != wire.EndComplete || e.Status != 200 {
		t.Errorf("%+v", e)
	}
	waitFor(t, func() bool { return n.gw.InFlight() == 0 })
}

func TestEncodedBodies(t *testing.T) {
	n := start(t, nodeOptions{gateway: gateway.Options{MaxBody: 64 << 10}}, model("demo", endpoint("demo:demo-api", "demo", "")))
	pack := func(text string, open func(w io.Writer) io.WriteCloser) string {
		var b bytes.Buffer
		w := open(&b)
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	bomb := `{"messages":[{"role":"user","content":"` + strings.Repeat("x", 10<<20) + `"}]}`
	for name, open := range map[string]func(w io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"Deflate": func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 1); return f },
		"zstd":    func(w io.Writer) io.WriteCloser { f, _ := zstd.NewWriter(w); return f },
	} {
		if r := n.chat(pack(ping, open), "Content-Encoding", name); r.StatusCode != 200 {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
		if r := n.chat(pack(bomb, open), "Content-Encoding", name); r.StatusCode != 413 {
			t.Errorf("%s: a bomb: %d %s", name, r.StatusCode, r.body)
		}
		if r := n.chat(pack(ping, open)[:20], "Content-Encoding", name); r.StatusCode != 400 {
			t.Errorf("%s: half of it: %d %s", name, r.StatusCode, r.body)
		}
		if r := n.chat("not "+name, "Content-Encoding", name); r.StatusCode != 400 {
			t.Errorf("%s: something else: %d %s", name, r.StatusCode, r.body)
		}
	}
	if r := n.chat(ping, "Content-Encoding", "identity"); r.StatusCode != 200 {
		t.Errorf("identity: %d %s", r.StatusCode, r.body)
	}
	if r := n.chat(ping, "Content-Encoding", "br"); r.StatusCode != 415 || r.Header.Get("Accept-Encoding") != "gzip, deflate, zstd" {
		t.Errorf("br: %d %v %s", r.StatusCode, r.Header, r.body)
	}
}
