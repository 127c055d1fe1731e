package bus_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

func newSigner(t *testing.T) *bus.Signer {
	t.Helper()
	private, public := bus.NewSigningKey()
	s, err := bus.NewSigner(private)
	if err != nil || s.Public() != public {
		t.Fatalf("%s is not %s: %v", s.Public(), public, err)
	}
	return s
}

func signed(t *testing.T, s *bus.Signer, epoch, gen uint64, body string) []byte {
	t.Helper()
	doc, err := s.Seal(wire.ReleaseKey, epoch, gen, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOnlyTrustedSignaturesOpen(t *testing.T) {
	ours, next, stranger := newSigner(t), newSigner(t), newSigner(t)
	v, err := bus.NewVerifier([]string{ours.Public(), next.Public()})
	if err != nil {
		t.Fatal(err)
	}
	var all *bus.Verifier
	f := func(what string, doc []byte, trusted bool) {
		t.Helper()
		got, err := v.Open(wire.ReleaseKey, doc)
		if trusted && (err != nil || string(got) != "content") || !trusted && !errors.Is(err, bus.ErrUntrusted) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		if got, err := all.Open(wire.ReleaseKey, doc); err != nil || string(got) != "content" {
			t.Errorf("%s, without keys: %q, %v", what, got, err)
		}
	}
	f("ours", signed(t, ours, 1, 2, "content"), true)
	f("the next key's", signed(t, next, 1, 2, "content"), true)
	f("a stranger's", signed(t, stranger, 1, 2, "content"), false)
	var none *bus.Signer
	f("unsigned", signed(t, none, 1, 2, "content"), false)
	// what is signed is bound to what it is: another number under the same signature is none
	doc := signed(t, ours, 1, 2, "content")
	f("renumbered", bytes.Replace(doc, []byte(`"gen":2`), []byte(`"gen":9`), 1), false)
	f("of another epoch", bytes.Replace(doc, []byte(`"epoch":1`), []byte(`"epoch":7`), 1), false)
	other := signed(t, stranger, 1, 2, "content")
	f("under our name", bytes.Replace(other, []byte(stranger.Public()), []byte(ours.Public()), 1), false)
}

func TestKeysThatAreNone(t *testing.T) {
	if _, err := bus.NewSigner(secret.New("hunter2")); err == nil {
		t.Error("a private key was made of anything")
	}
	if _, err := bus.NewVerifier([]string{"hunter2"}); err == nil {
		t.Error("a public key was made of anything")
	}
}

// A forged document does not keep the control plane from publishing, however
// new it says that it is.
func TestForgedDocumentsAreReplaced(t *testing.T) {
	nc := bustest.Start(t).Connect("test")
	ours, stranger := newSigner(t), newSigner(t)
	var none *bus.Signer
	publish := func(doc []byte, want error) {
		t.Helper()
		if err := bus.Publish(t.Context(), nc, wire.ReleaseKey, doc, 1); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	holds := func(doc []byte) {
		t.Helper()
		if got, err := bus.Fetch(t.Context(), nc, wire.ReleaseKey); err != nil || !bytes.Equal(got, doc) {
			t.Errorf("the bucket holds something else: %v", err)
		}
	}
	good := signed(t, ours, 5, 2, "good")
	publish(good, nil)
	publish(signed(t, ours, 5, 1, "old"), bus.ErrNewer)
	for _, forged := range [][]byte{signed(t, stranger, 1<<60, 1, "forged"), signed(t, none, 1<<60, 1, "forged")} {
		kv, err := bus.EnsureConfig(t.Context(), nc, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), wire.ReleaseKey, forged); err != nil {
			t.Fatal(err)
		}
		publish(good, nil)
		holds(good)
	}
}

func TestAnswersGoToInboxesOnly(t *testing.T) {
	nc := bustest.Start(t).Connect("test")
	kv, err := bus.EnsureConfig(t.Context(), nc, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Subscribe("ask", func(m *nats.Msg) { bus.Answer(m, []byte("answer")) }); err != nil {
		t.Fatal(err)
	}
	for _, reply := range []string{"$KV." + wire.ConfigBucket + "." + wire.ReleaseKey, "dp.v1.usage.n1"} {
		if err := nc.PublishRequest("ask", reply, nil); err != nil {
			t.Fatal(err)
		}
	}
	// answered after the others
	if m, err := nc.Request("ask", nil, 5*time.Second); err != nil || string(m.Data) != "answer" {
		t.Fatalf("%v", err)
	}
	if st, err := kv.Status(t.Context()); err != nil || st.Values() != 0 {
		t.Errorf("a question has written %d values, %v", st.Values(), err)
	}
}
