package tracing

import (
	"bytes"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/hybridinference/gateway/shared/wire"
)

// marked is in the line of every usage event whose request was traced.
const marked = `,"span_id":"`

// Published sends a span for each event of a frame whose request was traced,
// below the request's own: the frame has been stored by NATS just now.
func (t *Tracing) Published(lines []byte, subject string, start time.Time) {
	if t == nil || !bytes.Contains(lines, []byte(marked)) {
		return
	}
	end, count := time.Now(), bytes.Count(lines, []byte{'\n'})
	for line := range bytes.Lines(lines) {
		if !bytes.Contains(line, []byte(marked)) {
			continue
		}
		u, _, err := t.usage.Decode(line)
		if err != nil {
			continue // the collector reports it
		}
		t.below(u, Span{Name: "publish usage", Kind: trace.SpanKindProducer, Start: start, End: end, Attributes: []attribute.KeyValue{
			semconv.MessagingSystemKey.String("nats"), semconv.MessagingOperationTypeSend, semconv.MessagingDestinationName(subject), semconv.MessagingBatchMessageCount(count),
		}})
	}
}

// Committed sends such a span for an event that is in the store now, in a batch of count.
func (t *Tracing) Committed(u *wire.Usage, store string, count int, start time.Time) {
	if t == nil || u.SpanID == "" {
		return
	}
	t.below(u, Span{Name: "commit usage", Kind: trace.SpanKindConsumer, Start: start, End: time.Now(), Attributes: []attribute.KeyValue{
		semconv.MessagingSystemKey.String("nats"), semconv.MessagingOperationTypeProcess, semconv.MessagingBatchMessageCount(count), attribute.String("gateway.store", store),
	}})
}

// below sends a span of an event's way, a child of its request's.
func (t *Tracing) below(u *wire.Usage, s Span) {
	var err, err2 error
	s.Trace, err = trace.TraceIDFromHex(u.TraceID)
	s.Parent, err2 = trace.SpanIDFromHex(u.SpanID)
	if err != nil || err2 != nil {
		return // it names no span
	}
	s.Remote = true
	s.Attributes = append(s.Attributes, attribute.String("gateway.generation_id", u.RequestID), attribute.String("gateway.node", u.Node))
	t.Send(&s)
}
