package upstream_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

const (
	chat   = `{"model":"m","messages":[{"role":"user","content":"echo:word-1 please"}]}`
	stream = `{"model":"m","messages":[{"role":"user","content":"echo:word-1 please"}],"stream":true,"stream_options":{"include_usage":true}}`
)

// bed is a running upstream and a client with connections of its own.
type bed struct {
	*upstream.Server
	t      *testing.T
	client *http.Client
}

func start(t *testing.T) *bed {
	t.Helper()
	s, err := upstream.Start(upstream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bed{Server: s, t: t, client: &http.Client{Transport: transport}}
}

func (b *bed) script(r upstream.Rule) {
	b.t.Helper()
	if err := b.Set(r); err != nil {
		b.t.Fatal(err)
	}
}

// reply is what a client has seen.
type reply struct {
	*http.Response        // nil if there was no head
	text           string // of the body, as far as it came
	err            error
}

// send posts a body and returns when the head is there, the body is still to be read.
func (b *bed) send(ctx context.Context, body string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL()+"/v1/chat/completions", io.NopCloser(strings.NewReader(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	req.ContentLength = int64(len(body)) // and no GetBody: the client must not repeat a request by itself
	resp, err := b.client.Do(req)
	if err == nil {
		b.t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return reply{Response: resp, err: err}
}

// post reads the body, too.
func (b *bed) post(body string) reply {
	b.t.Helper()
	r := b.send(b.t.Context(), body)
	if r.err == nil {
		r.read()
	}
	return r
}

func (r *reply) read() {
	text, err := io.ReadAll(r.Body)
	r.text, r.err = string(text), err
}

// good is post for an answer that must be whole.
func (b *bed) good(body string) reply {
	b.t.Helper()
	r := b.post(body)
	if r.err != nil {
		b.t.Fatalf("after %q: %v", r.text, r.err)
	}
	return r
}

// await waits until the counts are as wanted.
func (b *bed) await(what string, ok func(upstream.Counts) bool) {
	b.t.Helper()
	eventually.Nil(b.t, 10*time.Second, what, func() error {
		if c := b.Counts(); !ok(c) {
			return fmt.Errorf("counts %+v", c)
		}
		return nil
	})
}

// datas are the events of a stream without "data: ".
func datas(body string) []string {
	var out []string
	for event := range strings.SplitSeq(body, "\n\n") {
		if data, ok := strings.CutPrefix(event, "data: "); ok {
			out = append(out, data)
		}
	}
	return out
}
