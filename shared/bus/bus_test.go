package bus_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestSealedDocumentsAreTrustedOrRefused(t *testing.T) {
	body := []byte(strings.Repeat("models ", 10_000))
	doc, err := bus.Seal("release", 7, 12, body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := bus.Open("release", doc); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("opened %d bytes, %v", len(got), err)
	}
	if _, err := bus.Open("keys", doc); err == nil {
		t.Error("a release was taken for a key table")
	}
	for i := range doc {
		damaged := bytes.Clone(doc)
		damaged[i] ^= 0x20
		if got, err := bus.Open("release", damaged); err == nil && !bytes.Equal(got, body) {
			t.Fatalf("damage at byte %d went unnoticed", i)
		}
		if _, err := bus.Open("release", doc[:i]); err == nil {
			t.Fatalf("a document cut at byte %d was opened", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	doc, err := bus.Seal("release", 1, 2, []byte("{}"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(doc)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = bus.Open("release", b) })
}

func FuzzDecodeFrame(f *testing.F) {
	m, err := bus.EncodeFrame(bus.Frame{Node: "n", Epoch: "e", First: 1, Last: 2, Lines: []byte("{}\n{}\n")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("1", "s2", m.Data)
	f.Fuzz(func(_ *testing.T, version, enc string, data []byte) {
		h := m.Header
		h.Set(wire.HeaderVersion, version)
		h.Set(wire.HeaderEncoding, enc)
		_, _ = bus.DecodeFrame(h, data)
	})
}

func TestDocumentsOverNATS(t *testing.T) {
	s := bustest.Start(t)
	nc := s.Connect("test")
	if _, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); !errors.Is(err, bus.ErrNoDocument) {
		t.Fatalf("without a bucket: %v", err)
	}
	kv, err := bus.EnsureConfig(t.Context(), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); !errors.Is(err, bus.ErrNoDocument) {
		t.Fatalf("without a document: %v", err)
	}
	if _, err := kv.Put(t.Context(), wire.ReleaseKey, bytes.Repeat([]byte("x"), 2<<20)); err != nil {
		t.Fatal(err)
	}
	if doc, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); err != nil || len(doc) != 2<<20 {
		t.Fatalf("fetched %d bytes, %v", len(doc), err)
	}
}

func seal(t *testing.T, epoch, gen uint64, body string) []byte {
	t.Helper()
	doc, err := bus.Seal(wire.ReleaseKey, epoch, gen, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestPublishNeverGoesBack(t *testing.T) {
	s := bustest.Start(t)
	nc := s.Connect("test")
	publish := func(epoch, gen uint64, body string, want error) {
		t.Helper()
		if err := bus.Publish(t.Context(), nc, wire.ReleaseKey, seal(t, epoch, gen, body), 1); !errors.Is(err, want) {
			t.Errorf("publish %d/%d: %v, want %v", epoch, gen, err, want)
		}
	}
	holds := func(want string) {
		t.Helper()
		doc, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := bus.Open(wire.ReleaseKey, doc); err != nil || string(body) != want {
			t.Errorf("the bucket holds %q (%v), want %q", body, err, want)
		}
	}
	publish(5, 2, "two", nil)
	publish(5, 2, "two", nil)
	publish(5, 1, "one", bus.ErrNewer)
	publish(4, 9, "old epoch", bus.ErrNewer)
	holds("two")
	publish(6, 1, "new epoch", nil)
	holds("new epoch")
	if kv, err := bus.EnsureConfig(t.Context(), nc, 1); err != nil {
		t.Fatal(err)
	} else if st, err := kv.Status(t.Context()); err != nil || st.Values() != 2 {
		t.Errorf("%d values, %v: the repetition was written again", st.Values(), err)
	}
}

func TestPublishRecoversFromLoss(t *testing.T) {
	s := bustest.Start(t)
	nc := s.Connect("test")
	doc := seal(t, 1, 7, "content")
	publish := func() {
		t.Helper()
		// a server may refuse to make a bucket anew while it still clears the old
		// one away (error 10049); whoever publishes tries again a moment later
		eventually.Nil(t, 5*time.Second, "the release is published", func() error { return bus.Publish(t.Context(), nc, wire.ReleaseKey, doc, 1) })
		if got, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); err != nil || !bytes.Equal(got, doc) {
			t.Fatalf("fetched %d bytes, %v", len(got), err)
		}
	}
	gone := func(how string) {
		t.Helper()
		if _, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); !errors.Is(err, bus.ErrNoDocument) {
			t.Fatalf("after %s: %v", how, err)
		}
	}
	if _, err := bus.ConfigMark(t.Context(), nc); !errors.Is(err, bus.ErrNoDocument) {
		t.Fatalf("a mark without a bucket: %v", err)
	}
	publish()
	mark := func() bus.Mark {
		t.Helper()
		m, err := bus.ConfigMark(t.Context(), nc)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := mark()
	publish() // the same document: nothing is written
	if mark() != before {
		t.Error("the mark changed without a change")
	}
	kv, err := bus.EnsureConfig(t.Context(), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Delete(t.Context(), wire.ReleaseKey); err != nil {
		t.Fatal(err)
	}
	gone("a deleted key")
	if mark() == before {
		t.Error("the mark survived a deletion")
	}
	publish()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteKeyValue(t.Context(), wire.ConfigBucket); err != nil {
		t.Fatal(err)
	}
	gone("a deleted bucket")
	publish()
	if mark() == before {
		t.Error("the mark survived a new bucket")
	}
	if _, err := kv.Put(t.Context(), wire.ReleaseKey, []byte("rubbish")); err != nil {
		t.Fatal(err)
	}
	publish()

	port := s.Port()
	s.Stop()
	bustest.StartOn(t, t.TempDir(), port)
	connected(t, nc)
	gone("wiped storage")
	publish()
}

// connected waits for the connection.
func connected(t *testing.T, nc *nats.Conn) {
	t.Helper()
	up := nc.StatusChanged(nats.CONNECTED)
	if nc.IsConnected() {
		return
	}
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		t.Fatal("not connected again after 10 s")
	}
}

func TestFrameBounds(t *testing.T) {
	if _, err := bus.EncodeFrame(bus.Frame{Node: "n", Epoch: "e", First: 2, Last: 1}); err == nil {
		t.Error("a frame that ends before it begins was encoded")
	}
	noise := make([]byte, 1<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	if _, err := bus.EncodeFrame(bus.Frame{Node: "n", Epoch: "e", First: 1, Last: 1, Lines: noise}); err == nil {
		t.Error("a frame larger than a message was encoded")
	}
	bomb := bus.Frame{Node: "n", Epoch: "e", First: 1, Last: 1, Lines: make([]byte, 8<<20)}
	m, err := bus.EncodeFrame(bomb)
	if err != nil {
		t.Fatal(err)
	}
	m.Data = s2.Encode(nil, make([]byte, 8<<20+1))
	if _, err := bus.DecodeFrame(m.Header, m.Data); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a frame that unpacks to too much: %v", err)
	}
}

func TestFramesOverNATS(t *testing.T) {
	s := bustest.Start(t)
	nc := s.Connect("test")
	frame := bus.Frame{Node: "node-1", Epoch: "e1", First: 5, Last: 6, Lines: []byte("{\"a\":1}\n{\"a\":2}\n")}
	m, err := bus.EncodeFrame(frame)
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.PublishFrame(t.Context(), nc, m); err == nil {
		t.Fatal("a frame was acknowledged without a stream")
	}
	js, err := bus.EnsureUsage(t.Context(), nc, bus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a repetition, and success
		if err := bus.PublishFrame(t.Context(), nc, m); err != nil {
			t.Fatal(err)
		}
	}
	sink, err := bus.EnsureSink(t.Context(), js, "test")
	if err != nil {
		t.Fatal(err)
	}
	got, err := sink.Next()
	if err != nil {
		t.Fatal(err)
	}
	back, err := bus.DecodeFrame(got.Headers(), got.Data())
	if err != nil || back.Node != frame.Node || back.First != 5 || back.Last != 6 || !bytes.Equal(back.Lines, frame.Lines) {
		t.Fatalf("read back %+v, %v", back, err)
	}
	if info, err := sink.Info(t.Context()); err != nil || info.NumPending != 0 {
		t.Fatalf("%d further frames, %v", info.NumPending, err)
	}
}

func TestConnectionOutlivesTheServer(t *testing.T) {
	s := bustest.Start(t)
	port, dir := s.Port(), s.Dir()
	nc := s.Connect("test")
	down := nc.StatusChanged(nats.RECONNECTING)
	s.Stop()
	select {
	case <-down:
	case <-time.After(10 * time.Second):
		t.Fatal("the loss went unnoticed for 10 s")
	}
	bustest.StartOn(t, dir, port)
	connected(t, nc)
}

func TestNoServerIsNoError(t *testing.T) {
	nc, err := bus.Connect(bus.Options{URL: "nats://127.0.0.1:1", Name: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if nc.IsConnected() {
		t.Fatal("connected to nothing")
	}
}

// How full the streams are is known before they refuse anything.
func TestFills(t *testing.T) {
	nc := bustest.Start(t).Connect("test")
	const limit = 64 << 10
	if _, err := bus.EnsureUsage(t.Context(), nc, bus.Limits{UsageBytes: limit}); err != nil {
		t.Fatal(err)
	}
	var refused error
	for i := uint64(1); refused == nil; i++ {
		m, err := bus.EncodeFrame(bus.Frame{Node: "n", Epoch: "e", First: i, Last: i, Lines: []byte("{}\n")})
		if err != nil {
			t.Fatal(err)
		}
		m.Header.Set("X-Pad", strings.Repeat("x", 1000))
		refused = bus.PublishFrame(t.Context(), nc, m)
	}
	fills, err := bus.Fills(t.Context(), nc)
	if err != nil || len(fills) != 2 || fills[0].Limit != limit || fills[0].Used < limit*9/10 || fills[0].Used > limit || fills[1].Used != 0 || fills[1].Limit == 0 {
		t.Errorf("%+v %v after %v", fills, err, refused)
	}
}
