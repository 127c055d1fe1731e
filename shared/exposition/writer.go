package exposition

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// flushBytes is how much text is collected before it is written out.
const flushBytes = 64 << 10

// Kind is what a family counts.
type Kind int

// The kinds.
const (
	Counter Kind = iota
	Gauge
	Histogram
)

// Writer takes the samples of families that have too many series for
// client_golang, which makes objects of all of them for each scrape. Samples of
// one family are written together, after Family.
type Writer struct {
	out         io.Writer // nil: samples become messages
	openMetrics bool
	err         error
	buf         []byte

	name, help string
	kind       Kind
	headed     bool // the head of the family is written

	sums     []uint64 // of a histogram's buckets, used again
	started  *timestamppb.Timestamp
	families []*dto.MetricFamily
}

// Family begins a family. The name of a counter ends with _total.
func (w *Writer) Family(kind Kind, name, help string) {
	w.name, w.help, w.kind, w.headed = name, help, kind, false
	if w.out == nil {
		typ := [...]dto.MetricType{dto.MetricType_COUNTER, dto.MetricType_GAUGE, dto.MetricType_HISTOGRAM}[kind]
		w.families = append(w.families, &dto.MetricFamily{Name: &name, Help: &help, Type: &typ})
	}
}

// head begins the text of a family, before its first sample.
func (w *Writer) head() {
	name := w.name
	if w.openMetrics && w.kind == Counter {
		name = strings.TrimSuffix(name, "_total")
	}
	w.buf = append(append(append(append(append(w.buf, "# HELP "...), name...), ' '), w.help...), '\n')
	w.buf = append(append(append(w.buf, "# TYPE "...), name...), [...]string{" counter\n", " gauge\n", " histogram\n"}[w.kind]...)
	w.headed = true
}

// Sample writes a series of the family. Its labels are those of l, then those of
// more, which may be nil.
func (w *Writer) Sample(l, more *Labels, v float64) {
	if w.out == nil {
		w.sampleMessage(l, more, v)
		return
	}
	w.line("", l, more, "")
	w.value(v)
}

func (w *Writer) sampleMessage(l, more *Labels, v float64) {
	m := w.message(l, more)
	if w.kind == Counter {
		m.Counter = &dto.Counter{Value: &v, CreatedTimestamp: w.started}
	} else {
		m.Gauge = &dto.Gauge{Value: &v}
	}
}

// message returns a new series of the current family.
func (w *Writer) message(l, more *Labels) *dto.Metric {
	m := &dto.Metric{Label: l.pairs}
	if more != nil {
		m.Label = slices.Concat(l.pairs, more.pairs)
		slices.SortFunc(m.Label, byName)
	}
	f := w.families[len(w.families)-1]
	f.Metric = append(f.Metric, m)
	return m
}

// line begins a line of text up to its value.
func (w *Writer) line(suffix string, l, more *Labels, le string) {
	if !w.headed {
		w.head()
	}
	b := append(append(append(w.buf, w.name...), suffix...), '{')
	b = append(b, l.text...)
	if more != nil {
		if l.text != "" {
			b = append(b, ',')
		}
		b = append(b, more.text...)
	}
	if le != "" {
		if l.text != "" || more != nil {
			b = append(b, ',')
		}
		b = append(append(append(b, `le="`...), le...), '"')
	}
	w.buf = append(b, "} "...)
}

// value ends a line of text.
func (w *Writer) value(v float64) {
	const exact = 1 << 53
	if n := int64(v); v == float64(n) && n > -exact && n < exact {
		w.buf = strconv.AppendInt(w.buf, n, 10)
	} else {
		w.buf = strconv.AppendFloat(w.buf, v, 'g', -1, 64)
	}
	w.buf = append(w.buf, '\n')
	if len(w.buf) >= flushBytes {
		w.flush()
	}
}

func (w *Writer) flush() {
	if w.err == nil && w.out != nil {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// Bounds are the upper bounds of the buckets of a histogram, without infinity.
type Bounds struct {
	bounds     []time.Duration
	seconds    []float64
	text, open []string // as both text formats write them
}

// NewBounds returns ascending bounds.
func NewBounds(bounds ...time.Duration) Bounds {
	b := Bounds{bounds: bounds}
	for _, bound := range bounds {
		seconds := bound.Seconds()
		text := strconv.FormatFloat(seconds, 'g', -1, 64)
		open := text
		if seconds == math.Trunc(seconds) {
			open += ".0"
		}
		b.seconds, b.text, b.open = append(b.seconds, seconds), append(b.text, text), append(b.open, open)
	}
	return b
}

// Len is how many buckets there are, that without a bound included.
func (b *Bounds) Len() int { return len(b.bounds) + 1 }

// Bucket returns the bucket that d falls into.
func (b *Bounds) Bucket(d time.Duration) int {
	i := 0
	for i < len(b.bounds) && d > b.bounds[i] {
		i++
	}
	return i
}

// Buckets writes a series of a histogram from what its buckets count, each for
// itself, if anything was counted. native, if it is not nil, adds a native histogram
// to a message; text has no room for it.
func (w *Writer) Buckets(l *Labels, b *Bounds, counts []atomic.Uint64, sum time.Duration, native prometheus.Metric) {
	total := uint64(0)
	sums := w.sums[:0]
	for i := range counts {
		total += counts[i].Load()
		sums = append(sums, total)
	}
	w.sums = sums
	if total == 0 {
		return
	}
	if w.out == nil {
		w.histogramMessage(l, b, sums, sum.Seconds(), native)
		return
	}
	les := b.text
	if w.openMetrics {
		les = b.open
	}
	for i, le := range les {
		w.line("_bucket", l, nil, le)
		w.value(float64(sums[i]))
	}
	w.line("_bucket", l, nil, "+Inf")
	w.value(float64(total))
	w.line("_sum", l, nil, "")
	w.value(sum.Seconds())
	w.line("_count", l, nil, "")
	w.value(float64(total))
}

func (w *Writer) histogramMessage(l *Labels, b *Bounds, sums []uint64, sum float64, native prometheus.Metric) {
	m := w.message(l, nil)
	if native != nil {
		if err := native.Write(m); err != nil && w.err == nil {
			w.err = err
		}
		m.Label = l.pairs
	}
	if m.Histogram == nil {
		total := sums[len(sums)-1]
		m.Histogram = &dto.Histogram{SampleSum: &sum, SampleCount: &total, CreatedTimestamp: w.started}
	}
	for i := range b.seconds {
		count := sums[i]
		m.Histogram.Bucket = append(m.Histogram.Bucket, &dto.Bucket{UpperBound: &b.seconds[i], CumulativeCount: &count})
	}
}
