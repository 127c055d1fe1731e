package bus_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
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
	up := nc.StatusChanged(nats.CONNECTED)
	s.Stop()
	bustest.StartOn(t, dir, port)
	select {
	case <-up:
	case <-time.After(10 * time.Second):
		t.Fatal("not connected again after 10 s")
	}
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
