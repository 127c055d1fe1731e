// Package exposition writes metrics in Prometheus' formats at a cost that does not
// grow with every series as client_golang's does: families with thousands of series
// write their samples themselves, from labels that were rendered once. All else
// is client_golang's.
package exposition

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// scrapes is how many are answered at a time.
const scrapes = 4

// Registry is what a process measures. It serves it by HTTP.
type Registry struct {
	*prometheus.Registry

	mu      sync.Mutex
	large   []func(*Writer)
	started *timestamppb.Timestamp

	places   chan struct{}
	messages http.Handler
	gzip     sync.Pool
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	r := &Registry{Registry: prometheus.NewRegistry(), started: timestamppb.Now(), places: make(chan struct{}, scrapes)}
	r.messages = promhttp.HandlerFor(r, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: scrapes})
	r.gzip.New = func() any {
		w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		return w
	}
	return r
}

// Add adds families that are written by a function. It may be called from
// several goroutines.
func (r *Registry) Add(write func(*Writer)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.large = append(r.large, write)
}

// write lets all families that do so write themselves.
func (r *Registry) write(w *Writer) {
	r.mu.Lock()
	large := r.large
	r.mu.Unlock()
	w.started = r.started
	for _, write := range large {
		write(w)
	}
	w.flush()
}

// Gather implements prometheus.Gatherer.
func (r *Registry) Gather() ([]*dto.MetricFamily, error) {
	families, err := r.Registry.Gather()
	if err != nil {
		return families, err
	}
	w := &Writer{}
	r.write(w)
	for _, f := range w.families {
		if len(f.GetMetric()) > 0 {
			families = append(families, f)
		}
	}
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return families, w.err
}

// ServeHTTP implements http.Handler: it answers a scrape in the format that it
// asks for.
func (r *Registry) ServeHTTP(out http.ResponseWriter, req *http.Request) {
	format := expfmt.NegotiateAccept(req.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	open := format.FormatType() == expfmt.TypeOpenMetrics
	if !open && format.FormatType() != expfmt.TypeTextPlain || req.URL.RawQuery != "" {
		r.messages.ServeHTTP(out, req)
		return
	}
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		http.Error(out, "too many scrapes at a time", http.StatusServiceUnavailable)
		return
	}
	families, err := r.Registry.Gather()
	if err != nil {
		http.Error(out, "gather metrics: "+err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", string(format))
	out.Header().Add("Vary", "Accept, Accept-Encoding")
	w := &Writer{out: out, openMetrics: open}
	if acceptsGzip(req.Header) {
		out.Header().Set("Content-Encoding", "gzip")
		compressed, _ := r.gzip.Get().(*gzip.Writer) // nothing else is in the pool
		defer r.gzip.Put(compressed)
		compressed.Reset(out)
		defer func() { _ = compressed.Close() }() // a scraper that left does not matter
		w.out = compressed
	}
	encoder := expfmt.NewEncoder(w.out, format)
	for _, f := range families {
		if encoder.Encode(f) != nil {
			return // the scraper has left
		}
	}
	r.write(w)
	if closer, ok := encoder.(expfmt.Closer); ok && w.err == nil {
		_ = closer.Close() // "# EOF"
	}
}

// acceptsGzip reports whether an answer may be compressed.
func acceptsGzip(h http.Header) bool {
	for _, header := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(header, ",") {
			name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
			if name == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}
