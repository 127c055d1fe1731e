package sse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/sse"
)

// read feeds in to a reader in pieces of the given size.
func read(t testing.TB, in string, size int) []string {
	t.Helper()
	var r sse.Reader
	var got []string
	add := func(ev sse.Event) { got = append(got, fmt.Sprintf("%s|%s", ev.Name, ev.Data)) }
	for len(in) > 0 {
		n := copy(r.Space(), in[:min(size, len(in))])
		r.Advance(n)
		in = in[n:]
		for {
			ev, ok, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			add(ev)
		}
	}
	if ev, ok := r.End(); ok {
		add(ev)
	}
	return got
}

func TestReader(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		for _, crlf := range []bool{false, true} {
			in := in
			if crlf {
				in = strings.ReplaceAll(in, "\n", "\r\n")
			}
			for size := 1; size <= len(in); size++ {
				if got := strings.Join(read(t, in, size), " ; "); got != strings.Join(want, " ; ") {
					t.Fatalf("%q in pieces of %d: got %q, want %q", in, size, got, want)
				}
			}
		}
	}
	f("data: a\n\ndata: b\n\n", "|a", "|b")
	f("data:a\n\n", "|a")
	f(": comment\n\ndata: a\n\n: again\n\n", "|a")
	f("event: ping\ndata: {}\n\n", "ping|{}")
	f("data: a\ndata: b\n\n", "|a\nb")
	f("id: 7\nretry: 10\ndata: a\n\n", "|a")
	f("data: unfinished", "|unfinished")
	f("data: unfinished\n", "|unfinished")
	f("error: {\"code\":500}\n\n", "error|{\"code\":500}")
	f("\xef\xbb\xbfdata: a\n\n", "|a")
	f("event: empty\n\ndata: a\n\n", "|a")
	f("\n\n\n")
	f("data:\n\ndata: \n\ndata: a\n\n", "|a")
	f("data:\ndata:\n\ndata: a\n\n", "|\n", "|a")
	f("data: a\n\nevent: x\ndata: b\ndata: c\ndata: d\n\ndata: e\n\n", "|a", "x|b\nc\nd", "|e")
}

func TestLongLinesAndManyEvents(t *testing.T) {
	long := strings.Repeat("x", 2<<20)
	for _, size := range []int{1000, 4096, 1 << 20, 3 << 20} {
		if got := read(t, "event: e\ndata: "+long+"\ndata: y\n\ndata: z\n\n", size); len(got) != 2 || got[0] != "e|"+long+"\ny" || got[1] != "|z" {
			t.Fatalf("pieces of %d: %d events", size, len(got))
		}
	}
	if got := read(t, strings.Repeat("data: hello\n\n", 20_000), 1500); len(got) != 20_000 {
		t.Fatalf("%d events", len(got))
	}
}

func TestEventSizeIsBounded(t *testing.T) {
	var r sse.Reader
	piece := strings.Repeat("x", 1<<20)
	for range 40 {
		for rest := piece; len(rest) > 0; {
			n := copy(r.Space(), rest)
			r.Advance(n)
			rest = rest[n:]
		}
		if _, _, err := r.Next(); err != nil {
			return
		}
	}
	t.Fatal("40 MiB without a line end were taken in")
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("event: x\ndata: a\r\n\r\ndata: b\n\n: c\n"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		whole := read(t, string(in), max(1, len(in)))
		cut := read(t, string(in), min(max(1, size), len(in)+1))
		if strings.Join(whole, "\x00") != strings.Join(cut, "\x00") {
			t.Fatalf("cut into %d: %q, whole: %q", size, cut, whole)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	chunk := []byte("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hello\"},\"finish_reason\":null}]}\n\n")
	var r sse.Reader
	b.ReportAllocs()
	for b.Loop() {
		r.Advance(copy(r.Space(), chunk))
		if _, ok, err := r.Next(); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

// An event of very many lines takes time in proportion to its size.
func TestManyLinesInOneEvent(t *testing.T) {
	const lines = 300_000
	got := read(t, strings.Repeat("data: x\n", lines)+"\n", 4096)
	if len(got) != 1 || len(got[0]) != 1+2*lines-1 {
		t.Fatalf("%d events", len(got))
	}
}
