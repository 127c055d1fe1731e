package adaptertest

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/shared/fault"
)

// checkStream decodes a stream at once and in every disguise.
func checkStream(t *testing.T, a codec.Adapter, c Case, want Want) {
	full := Stream(a, c.Body, len(c.Body))
	checkFault(t, full.Err, want, 200)
	checkAnswer(t, full.Answer, want)
	checkRules(t, full)
	same := func(name string, got *Transcript) {
		t.Helper()
		if !slices.Equal(got.Events, full.Events) {
			t.Errorf("%s: the events differ:\n%s\nwant:\n%s", name, strings.Join(got.Events, "\n"), strings.Join(full.Events, "\n"))
		}
	}
	for _, piece := range []int{1, 2, 3, 7, 12, 64, 1000} {
		same("in small pieces", Stream(a, c.Body, piece))
	}
	if _, ok := a.(codec.Framed); ok {
		checkUnfinished(t, a, c)
		return // the rest is about server-sent events
	}
	plain := bytes.ReplaceAll(c.Body, []byte("\r\n"), []byte("\n"))
	same("with LF", Stream(a, plain, 999))
	same("with CRLF", Stream(a, bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")), 5))
	same("with comments", Stream(a, bytes.ReplaceAll(plain, []byte("\n\n"), []byte("\n\n: waiting\n\n:\n\n")), 100))
	same("with a comment of 2 MB", Stream(a, slices.Concat([]byte(":"), bytes.Repeat([]byte("x"), 2<<20), []byte("\n\n"), plain), 64<<10))
	same("with a line of 2 MB", Stream(a, padded(plain), 64<<10))
	same("without its last line end", Stream(a, bytes.TrimRight(plain, "\n"), 50))
	checkCuts(t, plain)
	checkUnfinished(t, a, c)
}

// padded puts 2 MB of white space into the first event's JSON.
func padded(stream []byte) []byte {
	at := bytes.IndexByte(stream, '{') + 1
	return slices.Concat(stream[:at], bytes.Repeat([]byte(" "), 2<<20), stream[at:])
}

// checkCuts delivers each event of the stream in two pieces, cut at each of
// its bytes, one after the other through the same reader.
func checkCuts(t *testing.T, stream []byte) {
	t.Helper()
	var r sse.Reader
	for block := range bytes.SplitAfterSeq(stream, []byte("\n\n")) {
		if !bytes.HasSuffix(block, []byte("\n\n")) {
			block = slices.Concat(bytes.TrimRight(block, "\n"), []byte("\n\n"))
		}
		want := cut(block, len(block))
		for i := range block {
			var got []wire
			for _, piece := range [][]byte{block[:i], block[i:]} {
				for len(piece) > 0 {
					n := copy(r.Space(), piece)
					r.Advance(n)
					piece = piece[n:]
					got = drain(&r, got)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("cut at byte %d: %q, want %q", i, got, want)
			}
		}
	}
}

// checkUnfinished ends the stream after each event that comes before the
// finish reason: a cut answer must not look complete.
func checkUnfinished(t *testing.T, a codec.Adapter, c Case) {
	t.Helper()
	events := cutBy(framesOf(a), c.Body, len(c.Body))
	step := 1 + len(events)/50 // long streams do not differ from event to event
	for n := 0; n < len(events); n += step {
		tr := play(a, events[:n])
		switch {
		case !tr.eof:
			return // an error or the terminal event ended it
		case tr.Err == nil && slices.ContainsFunc(tr.Choices, func(c Choice) bool { return c.Finish != "" }):
			return // all that counts was there
		case tr.Err == nil:
			t.Fatalf("a stream that ends after %d of %d events passes for complete", n, len(events))
		case tr.Err.Kind != fault.Unavailable:
			t.Fatalf("a stream that ends after %d of %d events is %v, want %v", n, len(events), tr.Err.Kind, fault.Unavailable)
		}
	}
}
