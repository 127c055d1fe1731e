package load_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/load"
	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

func start(t *testing.T, s upstream.Script) (*upstream.Server, load.Request) {
	t.Helper()
	up, err := upstream.Start(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := up.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := up.Set(upstream.Rule{Script: s}); err != nil {
		t.Fatal(err)
	}
	return up, load.Request{Addr: up.Addr(), Path: "/v1/chat/completions", Key: "k", Marker: "pong", Body: []byte(`{"model":"m","messages":"echo:pong"}`)}
}

func streaming(r load.Request, events int) load.Request {
	r.Body = []byte(`{"model":"m","messages":"echo:pong","stream":true}`)
	r.Events = events
	return r
}

func TestClosedLoopCountsWhatTheServerCounts(t *testing.T) {
	up, req := start(t, upstream.Script{Size: 300})
	r, err := load.Closed(t.Context(), req, 3, 50*time.Millisecond)
	c := up.Counts()
	if err != nil || r.Requests == 0 || uint64(r.Requests) != c.Total.Answered || r.Events != 0 || c.Connections != 3 {
		t.Errorf("%+v %+v %v", r, c, err)
	}
	if last, _ := up.Last("m"); last.Header.Get("Authorization") != "Bearer k" || last.Body != string(req.Body) {
		t.Errorf("%+v", last)
	}
}

func TestClosedLoopOfStreams(t *testing.T) {
	up, req := start(t, upstream.Script{Chunks: 50, TrickleBytes: 37}) // events come in pieces
	r, err := load.Closed(t.Context(), streaming(req, 1+50+2), 2, 50*time.Millisecond)
	if answered := up.Counts().Total.Answered; err != nil || uint64(r.Requests) != answered || r.Events != r.Requests*(1+50+2) {
		t.Errorf("%+v %d %v", r, answered, err)
	}
}

func TestAWrongAnswerEndsTheMeasurement(t *testing.T) {
	f := func(s upstream.Script, events int, want string) {
		t.Helper()
		_, req := start(t, s)
		if events > 0 {
			req = streaming(req, events)
		}
		if _, err := load.Closed(t.Context(), req, 2, time.Minute); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("closed: %v does not contain %q", err, want)
		}
		if _, err := load.Open(t.Context(), req, 100, time.Minute); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open: %v does not contain %q", err, want)
		}
	}
	f(upstream.Script{Status: 503}, 0, "status 503")
	f(upstream.Script{Body: "nothing"}, 0, `lacks "pong"`)
	f(upstream.Script{Fault: upstream.Fault{Kind: upstream.Hangup, At: 10}}, 0, "unexpected EOF")
	f(upstream.Script{NoDone: true}, 11, "ended with")
	f(upstream.Script{Chunks: 3}, 11, "had 6 events, not 11")
	f(upstream.Script{Fault: upstream.Fault{Kind: upstream.Hangup, At: 5}}, 11, "after 6 events")
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	up, req := start(t, upstream.Script{Delay: upstream.Duration(5 * time.Millisecond)})
	begun := time.Now()
	l, err := load.Open(t.Context(), req, 500, 200*time.Millisecond)
	if err != nil || len(l) != 100 || up.Counts().Total.Answered != 100 {
		t.Fatalf("%d answers: %v", len(l), err)
	}
	// One after the other they would take half a second.
	if took := time.Since(begun); took < 199*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	if l.At(0) < 5*time.Millisecond || l.At(0.5) > l.At(0.99) || l.At(1) != l[99] {
		t.Errorf("latencies %v", l)
	}
}

// A server that stalls once delays everyone who was due in the meantime.
func TestOpenLoopChargesForWaiting(t *testing.T) {
	up, req := start(t, upstream.Script{})
	stall := upstream.Duration(300 * time.Millisecond)
	// More than there are connections: the next request waits for one of them.
	if err := up.Set(upstream.Rule{Times: 64, Script: upstream.Script{Delay: stall}}); err != nil {
		t.Fatal(err)
	}
	l, err := load.Open(t.Context(), req, 1000, 250*time.Millisecond)
	if err != nil || len(l) != 250 {
		t.Fatalf("%d answers: %v", len(l), err)
	}
	late := 0
	for _, d := range l {
		if d > 60*time.Millisecond {
			late++
		}
	}
	// 64 were stalled; all others were due before the first of them came back.
	if late < 200 {
		t.Errorf("only %d of 250 requests were late: %v", late, l)
	}
}

func TestStreams(t *testing.T) {
	up, req := start(t, upstream.Script{Chunks: 5, Fault: upstream.Fault{Kind: upstream.Stall, At: 2}})
	s, err := load.OpenStreams(t.Context(), streaming(req, 1), 20, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if got := up.Counts().Total.Open; got != 20 {
		t.Errorf("%d are open", got)
	}
	if got := s.Events(); got < 20 || got > 60 {
		t.Errorf("%d events", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestStreamsThatEndAreAnError(t *testing.T) {
	_, req := start(t, upstream.Script{Fault: upstream.Fault{Kind: upstream.Hangup, At: 2}})
	s, err := load.OpenStreams(t.Context(), streaming(req, 1), 3, 0)
	if err == nil {
		err = s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "ended after 3 events") {
		t.Errorf("%v", err)
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	_, req := start(t, upstream.Script{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := load.Open(ctx, req, 10, time.Hour); err == nil {
		t.Error("no error")
	}
	if _, err := load.Closed(ctx, req, 2, time.Hour); err == nil {
		t.Error("no error")
	}
}
