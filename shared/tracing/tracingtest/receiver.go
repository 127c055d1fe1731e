// Package tracingtest is an OpenTelemetry collector for tests: it takes traces
// over HTTP and over gRPC, and keeps them.
package tracingtest

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // what the exporter may use
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/hybridinference/gateway/shared/eventually"
)

// Span is a span as it arrived, with ids in hexadecimal.
type Span struct {
	*trace.Span

	ID, Trace, Parent string
	// Attributes of the span, and Resource of its process; values as text.
	Attributes, Resource map[string]string
	// Scope and Schema name the instrumentation and its conventions.
	Scope, Schema string
}

// Receiver keeps what it gets.
type Receiver struct {
	t *testing.T
	// URL is its endpoint.
	URL string
	// Refuse makes it answer with an error, Hang not at all until the test ends.
	Refuse, Hang bool

	collector.UnimplementedTraceServiceServer

	mu       sync.Mutex
	batches  [][]Span
	headers  []map[string]string
	requests int
	givenUp  int
}

// HTTP starts a receiver of OTLP over HTTP; secure is nil for plain text.
func HTTP(t *testing.T, secure *tls.Config) *Receiver {
	t.Helper()
	r := &Receiver{t: t}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: time.Minute}
	ln := r.listen(secure)
	go func() { _ = srv.Serve(ln) }() // it ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	return r
}

// GRPC starts one over gRPC.
func GRPC(t *testing.T, secure *tls.Config) *Receiver {
	t.Helper()
	r := &Receiver{t: t}
	ln := r.listen(nil)
	var o []grpc.ServerOption
	if secure != nil {
		o, r.URL = append(o, grpc.Creds(credentials.NewTLS(secure))), strings.Replace(r.URL, "http:", "https:", 1)
	}
	srv := grpc.NewServer(o...)
	collector.RegisterTraceServiceServer(srv, r)
	go func() { _ = srv.Serve(ln) }() // it ends with Stop
	t.Cleanup(srv.Stop)
	return r
}

func (r *Receiver) listen(secure *tls.Config) net.Listener {
	r.t.Helper()
	ln, err := new(net.ListenConfig).Listen(r.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	r.URL = "http://" + ln.Addr().String()
	if secure == nil {
		return ln
	}
	r.URL = "https://" + ln.Addr().String()
	return tls.NewListener(ln, secure)
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	headers := map[string]string{"path": in.URL.Path}
	for name := range in.Header {
		headers[strings.ToLower(name)] = in.Header.Get(name)
	}
	var body io.Reader = in.Body
	if headers["content-encoding"] == "gzip" {
		unpacked, err := gzip.NewReader(in.Body)
		if err != nil {
			r.t.Error(err)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return // the sender gave up
	}
	if !r.take(in.Context(), headers) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var got collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(text, &got); err != nil {
		r.t.Errorf("what arrived is not OTLP: %v", err)
	}
	r.keep(&got)
	answer, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
	if err != nil {
		r.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

// Export implements the service over gRPC.
func (r *Receiver) Export(ctx context.Context, in *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	headers := map[string]string{}
	got, _ := metadata.FromIncomingContext(ctx)
	for name, values := range got {
		headers[name] = strings.Join(values, ",")
	}
	if !r.take(ctx, headers) {
		return nil, context.DeadlineExceeded
	}
	r.keep(in)
	return &collector.ExportTraceServiceResponse{}, nil
}

func (r *Receiver) take(ctx context.Context, headers map[string]string) bool {
	r.mu.Lock()
	r.headers = append(r.headers, headers)
	r.requests++
	refuse, hang := r.Refuse, r.Hang
	r.mu.Unlock()
	if hang {
		<-ctx.Done()
		r.mu.Lock()
		r.givenUp++
		r.mu.Unlock()
	}
	return !refuse && !hang
}

func (r *Receiver) keep(in *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var batch []Span
	for _, process := range in.GetResourceSpans() {
		for _, scope := range process.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				batch = append(batch, Span{
					Span: s, ID: hex.EncodeToString(s.GetSpanId()), Trace: hex.EncodeToString(s.GetTraceId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
					Attributes: texts(s.GetAttributes()), Resource: texts(process.GetResource().GetAttributes()), Scope: scope.GetScope().GetName(), Schema: scope.GetSchemaUrl(),
				})
			}
		}
	}
	r.batches = append(r.batches, batch)
}

func texts(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, one := range list {
		v := one.GetValue()
		if s, ok := v.GetValue().(*common.AnyValue_StringValue); ok {
			out[one.GetKey()] = s.StringValue
			continue
		}
		_, text, _ := strings.Cut(v.String(), ":")
		out[one.GetKey()] = text
	}
	return out
}

// Spans are those that have arrived.
func (r *Receiver) Spans() (all []Span) {
	for _, batch := range r.Batches() {
		all = append(all, batch...)
	}
	return all
}

// Batches are the spans as they came together.
func (r *Receiver) Batches() [][]Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][]Span(nil), r.batches...)
}

// Headers of the n-th request, in lower case; of HTTP "path" is its path.
func (r *Receiver) Headers(n int) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n >= len(r.headers) {
		return nil
	}
	return r.headers[n]
}

// Requests is how many have come.
func (r *Receiver) Requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// GivenUp is how many requests their senders have given up.
func (r *Receiver) GivenUp() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.givenUp
}

// Wait waits until count spans of a name are there, and returns them.
func (r *Receiver) Wait(name string, count int) (found []Span) {
	r.t.Helper()
	eventually.True(r.t, name+" arrives", func() bool {
		found = nil
		for _, s := range r.Spans() {
			if s.GetName() == name {
				found = append(found, s)
			}
		}
		return len(found) >= count
	})
	return found
}
