package upstream

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/valyala/fasthttp"
)

// readAll reads a body through framing, from a reader that may time out at any byte.
func readAll(t testing.TB, head, body string, r func(io.Reader) io.Reader) (string, error) {
	t.Helper()
	var h fasthttp.ResponseHeader
	if err := h.Read(bufio.NewReader(strings.NewReader(head))); err != nil {
		t.Fatal(err)
	}
	var f framing
	f.start(&h)
	br := &reader{from: r(strings.NewReader(body))}
	var out strings.Builder
	buf := make([]byte, 16)
	for range 100_000 {
		n, err := f.read(br, buf)
		out.Write(buf[:n])
		if n > 0 {
			continue // as callers do: the error comes again, also that of the end
		}
		if err != nil && !errors.Is(err, iotest.ErrTimeout) {
			return out.String(), err
		}
	}
	t.Fatal("reading does not end")
	return "", nil
}

// stutter times out before every byte.
type stutter struct {
	r     io.Reader
	ready bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.ready = !s.ready; s.ready {
		return 0, iotest.ErrTimeout
	}
	return s.r.Read(p[:1])
}

func TestFraming(t *testing.T) {
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	f := func(head, body, want string, end error) {
		t.Helper()
		for name, r := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with timeouts": func(r io.Reader) io.Reader { return &stutter{r: r} },
		} {
			got, err := readAll(t, head, body, r)
			if got != want || !errors.Is(err, end) {
				t.Errorf("%s: %q of %q: got %q, %v; want %q, %v", name, body, head, got, err, want, end)
			}
		}
	}
	f(chunked, "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", "hello world", io.EOF)
	f(chunked, "0\r\nTrailer: x\r\n\r\n", "", io.EOF)
	f(chunked, "1e\r\n"+strings.Repeat("x", 30)+"\r\n0\r\n\r\n", strings.Repeat("x", 30), io.EOF)
	f(chunked, "5\r\nhel", "hel", errCut)
	f(chunked, "5\r\nhello\r\n", "hello", errCut) // cut at a chunk's boundary: not a proper end
	f(chunked, "5\r\nhello", "hello", errCut)
	f(chunked, "5\r\nhelloX\r\n", "hello", errFraming)
	f(chunked, "zz\r\n", "", errFraming)
	f(chunked, "-1\r\n", "", errFraming)
	f(chunked, "\r\n", "", errFraming)
	f(chunked, "fffffffffffffffff\r\n", "", errFraming)
	f(chunked, strings.Repeat("1", 100)+"\r\n", "", errFraming)
	f("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "hello, and more", "hello", io.EOF)
	f("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "hello", "hello", errCut)
	f("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "x", "", io.EOF)
	f("HTTP/1.1 204 No Content\r\n\r\n", "x", "", io.EOF)
	f("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", "until the end", "until the end", io.EOF)
}

func FuzzFraming(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"))
	f.Add([]byte("a;b\r\n0123456789\r\n0\r\nX: y\r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		whole, err1 := readAll(t, head, string(body), func(r io.Reader) io.Reader { return r })
		cut, err2 := readAll(t, head, string(body), iotest.OneByteReader)
		if whole != cut || !errors.Is(err1, err2) {
			t.Fatalf("%q: whole %q %v, byte by byte %q %v", body, whole, err1, cut, err2)
		}
	})
}
