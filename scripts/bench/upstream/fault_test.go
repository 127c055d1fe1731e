package upstream_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

func faulty(kind upstream.FaultKind, at int) upstream.Rule {
	return upstream.Rule{Script: upstream.Script{Fault: upstream.Fault{Kind: kind, At: at}}}
}

// under is what a client sees of a fault.
func (b *bed) under(r upstream.Rule, body string) (status int, seen reply) {
	b.t.Helper()
	b.script(r)
	seen = b.post(body)
	if seen.Response != nil {
		status = seen.StatusCode
	}
	return status, seen
}

func TestReset(t *testing.T) {
	b := start(t)
	f := func(body string, at, status int) {
		t.Helper()
		got, r := b.under(faulty(upstream.Reset, at), body)
		if !errors.Is(r.err, syscall.ECONNRESET) {
			t.Errorf("at %d: %q: %v", at, r.text, r.err)
		}
		// A reset may overtake what was sent before it.
		if got != status && got != 0 {
			t.Errorf("at %d: status %d", at, got)
		}
	}
	f(chat, upstream.BeforeHead, 0)
	f(chat, upstream.AfterHead, 200)
	f(chat, 50, 200)
	f(stream, upstream.BeforeHead, 0)
	f(stream, upstream.AfterHead, 200)
	f(stream, 3, 200)
	f(stream, 1000, 200)
	if c := b.Counts().Total; c.Requests != 7 || c.Broken != 7 {
		t.Errorf("%+v", c)
	}
}

func TestHangup(t *testing.T) {
	b := start(t)
	f := func(body string, at, status, events, size int) {
		t.Helper()
		got, r := b.under(faulty(upstream.Hangup, at), body)
		if !errors.Is(r.err, io.EOF) && !errors.Is(r.err, io.ErrUnexpectedEOF) {
			t.Errorf("at %d: %v", at, r.err)
		}
		if got != status || len(datas(r.text)) != events || events == 0 && len(r.text) != size {
			t.Errorf("at %d: status %d %q", at, got, r.text)
		}
	}
	f(chat, upstream.BeforeHead, 0, 0, 0)
	f(chat, upstream.AfterHead, 200, 0, 0)
	f(chat, 50, 200, 0, 50)
	f(stream, upstream.BeforeHead, 0, 0, 0)
	f(stream, upstream.AfterHead, 200, 0, 0)
	f(stream, 3, 200, 1+3, 0)
	f(stream, 1000, 200, 1+8, 0)
}

func TestHalfIsWellFramed(t *testing.T) {
	b := start(t)
	f := func(body string, at, events int, end string) {
		t.Helper()
		if _, r := b.under(faulty(upstream.Half, at), body); r.err != nil || len(datas(r.text)) != events || !strings.HasSuffix(r.text, end) {
			t.Errorf("at %d: %q %v", at, r.text, r.err)
		}
	}
	f(stream, 0, 0, "")
	f(stream, 5, 1+5, "word-1 4 \"},\"finish_reason\":null}]}\n\n")
	f(chat, 20, 0, `{"id":"chatcmpl-word`)
	f(chat, 0, 0, "")
	if c := b.Counts(); c.Connections != 1 || c.Total.Answered != 4 {
		t.Errorf("the connection did not stay: %+v", c)
	}
}

func TestErrorEventMidStream(t *testing.T) {
	b := start(t)
	_, r := b.under(faulty(upstream.ErrorEvent, 2), stream)
	events := datas(r.text)
	if r.err != nil || len(events) != 1+2+1 || !strings.HasPrefix(events[3], `{"error":`) {
		t.Errorf("%q %v", r.text, r.err)
	}
	rule := faulty(upstream.ErrorEvent, 0)
	rule.Fault.Data = "event: error\ndata: {}\n\n"
	if _, r = b.under(rule, stream); r.err != nil || r.text != rule.Fault.Data {
		t.Errorf("%q %v", r.text, r.err)
	}
}

func TestStallUntilTheClientLeaves(t *testing.T) {
	b := start(t)
	f := func(body string, at int, events int) {
		t.Helper()
		b.script(faulty(upstream.Stall, at))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		before := b.Counts().Total.Cancelled
		read := make(chan string, 1)
		go func() {
			r := b.send(ctx, body)
			if r.err == nil {
				r.read()
			}
			read <- r.text
		}()
		b.await("an open request", func(c upstream.Counts) bool { return c.Total.Open == 1 })
		leave()
		if text := <-read; len(datas(text)) > events {
			t.Errorf("at %d: %q", at, text)
		}
		b.await("the departure", func(c upstream.Counts) bool { return c.Total.Open == 0 && c.Total.Cancelled == before+1 })
	}
	f(chat, upstream.BeforeHead, 0)
	f(chat, 10, 0)
	f(stream, upstream.BeforeHead, 0)
	f(stream, upstream.AfterHead, 0)
	f(stream, 3, 1+3)
}

func TestStallThatEnds(t *testing.T) {
	b := start(t)
	r := faulty(upstream.Stall, 2)
	r.Fault.For = upstream.Duration(30 * time.Millisecond)
	b.script(r)
	begun := time.Now()
	if r := b.good(stream); len(datas(r.text)) != 1+8+3 || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("%q after %v", r.text, time.Since(begun))
	}
}

// What was sent before a stall has to have arrived by then.
func TestStallKeepsNothingBack(t *testing.T) {
	b := start(t)
	b.script(faulty(upstream.Stall, 3))
	r := b.send(t.Context(), stream)
	if r.err != nil {
		t.Fatal(r.err)
	}
	want := "word-1 2 \"},\"finish_reason\":null}]}\n\n"
	var text []byte
	for buf := make([]byte, 1024); !strings.HasSuffix(string(text), want); {
		n, err := r.Body.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, buf[:n]...)
	}
}

func TestWrongFraming(t *testing.T) {
	b := start(t)
	f := func(kind upstream.FaultKind, body string, at int, contains, errText string) {
		t.Helper()
		_, r := b.under(faulty(kind, at), body)
		if r.err == nil || !strings.Contains(r.err.Error(), errText) || !strings.Contains(r.text, contains) {
			t.Errorf("%s at %d: %q %v", kind, at, r.text, r.err)
		}
	}
	f(upstream.BadChunk, stream, 3, "word-1 2 ", "invalid byte in chunk length")
	f(upstream.BadChunk, stream, 0, "", "invalid byte in chunk length")
	f(upstream.BadChunk, chat, 20, `{"id":"chatcmpl-word`, "invalid byte in chunk length")
	f(upstream.LongLength, chat, 0, "word-1", "unexpected EOF")
	f(upstream.LongLength, stream, 0, "[DONE]", "unexpected EOF")
}

// The server promises to keep the connection and then closes it: the next
// request of a client that trusts it meets a closed connection.
func TestCloseAfterAGoodAnswer(t *testing.T) {
	b := start(t)
	for _, body := range []string{chat, stream} {
		b.script(faulty(upstream.CloseAfter, 0))
		if r := b.good(body); r.Close || r.text == "" {
			t.Errorf("announced: %v %q", r.Close, r.text)
		}
		b.await("the end of the connection", func(c upstream.Counts) bool { return c.Connected == 0 })
		b.client.CloseIdleConnections() // it may not have noticed
	}
	if c := b.Counts(); c.Connections != 2 || c.Total.Answered != 2 {
		t.Errorf("%+v", c)
	}
}

func TestModes(t *testing.T) {
	b := start(t)
	b.good(chat)
	set := func(m upstream.Mode) {
		t.Helper()
		if err := b.SetMode(m); err != nil {
			t.Fatal(err)
		}
	}
	set(upstream.Refuse)
	b.good(chat) // on the connection from before
	b.Drop()
	b.await("no connections", func(c upstream.Counts) bool { return c.Connected == 0 })
	b.client.CloseIdleConnections()
	if r := b.post(chat); !errors.Is(r.err, syscall.ECONNREFUSED) {
		t.Errorf("refuse: %v", r.err)
	}
	set(upstream.Reject)
	if r := b.post(chat); r.err == nil || errors.Is(r.err, syscall.ECONNREFUSED) {
		t.Errorf("reject: %v", r.err)
	}
	set(upstream.Accept)
	b.good(chat)
	if err := b.SetMode("wild"); err == nil || !strings.Contains(err.Error(), `"wild"`) {
		t.Errorf("unknown mode: %v", err)
	}
	if got := b.Counts().Of("m").Requests; got != 3 {
		t.Errorf("%d requests came in", got)
	}
}

func TestDropResetsRunningAnswers(t *testing.T) {
	b := start(t)
	b.script(faulty(upstream.Stall, 1))
	r := b.send(t.Context(), stream)
	if r.err != nil {
		t.Fatal(r.err)
	}
	b.Drop()
	if r.read(); !errors.Is(r.err, syscall.ECONNRESET) {
		t.Errorf("%v", r.err)
	}
}

func TestClientLeavesAFastStream(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Chunks: 1 << 30}})
	ctx, leave := context.WithCancel(t.Context())
	if r := b.send(ctx, stream); r.err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r.err)
	}
	leave()
	b.await("the departure", func(c upstream.Counts) bool { return c.Total.Cancelled == 1 })
}
