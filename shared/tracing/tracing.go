// Package tracing sends spans to an OpenTelemetry collector. Whoever has spans
// knows them when they are over: a process measures anyway, and only what is
// sampled becomes a span. A nil *Tracing is tracing that is off.
package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/credentials"

	"github.com/hybridinference/gateway/shared/wire"
)

// scope names the instrumentation.
const scope = "github.com/hybridinference/gateway"

// Tracing decides which requests are traced, and sends their spans.
type Tracing struct {
	sampler  sdk.Sampler
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	usage    *wire.UsageDecoder
	none     context.Context //nolint:containedctx // spans without a parent begin there
}

// Process is who has the spans.
type Process struct {
	// Service is the default of service.name.
	Service, Version string
	// Instance distinguishes processes of the same service, "" if nothing does.
	Instance string
	Log      *slog.Logger
}

// Start returns nil if the settings have tracing off. The collector need not be
// there: what cannot be sent is dropped, and the log says so once a minute.
func Start(ctx context.Context, s *Settings, p Process) (*Tracing, error) {
	if !s.On() {
		return nil, nil //nolint:nilnil // tracing that is off
	}
	e := s.export()
	exporter, err := e.exporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("OpenTelemetry: %w", err)
	}
	otel.SetLogger(logr.Discard()) // what goes wrong comes to the handler
	otel.SetErrorHandler(&reporter{log: p.Log})
	millis := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // the decision is taken before there is a span
		sdk.WithIDGenerator(chosen{}),
		sdk.WithResource(s.resource(p)),
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(s.Queue), sdk.WithMaxExportBatchSize(s.Batch), sdk.WithBatchTimeout(millis(s.Delay)), sdk.WithExportTimeout(millis(s.Export))),
	)
	t := &Tracing{sampler: s.sampler(), provider: provider, none: context.Background(), usage: wire.NewUsageDecoder()} //nolint:forbidigo // one with a Value of its own would allocate for each request
	t.tracer = provider.Tracer(scope, trace.WithInstrumentationVersion(p.Version), trace.WithSchemaURL(semconv.SchemaURL))
	p.Log.InfoContext(ctx, "sending traces", slog.String("endpoint", e.Endpoint), slog.String("protocol", e.Protocol), slog.String("sampler", t.sampler.Description()))
	return t, nil
}

// stopTime bounds how long a process waits at its end for the collector.
const stopTime = 2 * time.Second

// Stop sends what waits to be sent. A collector that is away is in the log
// already, and no reason to fail.
func (t *Tracing) Stop(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	_ = t.provider.Shutdown(ctx)
}

// Sampled decides whether a request is traced; parent is invalid for one that
// begins the trace.
func (t *Tracing) Sampled(parent trace.SpanContext, id trace.TraceID) bool {
	ctx := t.none
	if parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	return t.sampler.ShouldSample(sdk.SamplingParameters{ParentContext: ctx, TraceID: id, Kind: trace.SpanKindServer}).Decision == sdk.RecordAndSample
}

// Span is one that is over.
type Span struct {
	Name  string
	Kind  trace.SpanKind
	Trace trace.TraceID
	// ID is the span's own, the zero value for a random one.
	ID trace.SpanID
	// Parent is the zero value for the span that begins the trace; Remote says that
	// it is another process's, State is the tracestate that came with it.
	Parent     trace.SpanID
	Remote     bool
	State      trace.TraceState
	Start, End time.Time
	Attributes []attribute.KeyValue
	// Failed is the kind of fault, "" for success.
	Failed string
}

// Send hands a span to what sends it, and never waits.
func (t *Tracing) Send(s *Span) {
	ctx := context.WithValue(t.none, chosenKey{}, ids{s.Trace, s.ID})
	if s.Parent.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: s.Trace, SpanID: s.Parent, TraceFlags: trace.FlagsSampled, TraceState: s.State, Remote: s.Remote,
		}))
	}
	_, span := t.tracer.Start(ctx, s.Name, trace.WithTimestamp(s.Start), trace.WithSpanKind(s.Kind), trace.WithAttributes(s.Attributes...))
	if s.Failed != "" {
		span.SetAttributes(semconv.ErrorTypeKey.String(s.Failed))
		span.SetStatus(codes.Error, s.Failed)
	}
	span.End(trace.WithTimestamp(s.End))
}

func (s *Settings) resource(p Process) *resource.Resource {
	attributes := []attribute.KeyValue{
		semconv.ServiceName(p.Service), semconv.ServiceVersion(p.Version), semconv.TelemetrySDKName("opentelemetry"), semconv.TelemetrySDKLanguageGo, semconv.TelemetrySDKVersion(otel.Version()),
	}
	if p.Instance != "" {
		attributes = append(attributes, semconv.ServiceInstanceID(p.Instance))
	}
	own, _ := pairs(s.Resource) // Check has read them
	for _, one := range own {
		attributes = append(attributes, attribute.String(one.name, one.value)) // of two with one name the last counts
	}
	if s.Service != "" {
		attributes = append(attributes, semconv.ServiceName(s.Service))
	}
	return resource.NewWithAttributes(semconv.SchemaURL, attributes...)
}

func (s *Settings) sampler() sdk.Sampler {
	ratio, _ := s.ratio() // Check has read it
	name, parentBased := strings.CutPrefix(s.Sampler, "parentbased_")
	var root sdk.Sampler
	switch name {
	case "always_off":
		root = sdk.NeverSample()
	case "traceidratio":
		root = sdk.TraceIDRatioBased(ratio)
	default:
		root = sdk.AlwaysSample()
	}
	if parentBased {
		return sdk.ParentBased(root)
	}
	return root
}

// exporter connects when there is something to send.
func (e *exportSettings) exporter(ctx context.Context) (*otlptrace.Exporter, error) {
	secure, err := e.tls()
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	list, _ := pairs(e.Headers.Reveal()) // Check has read them
	for _, one := range list {
		headers[one.name] = one.value
	}
	timeout := time.Duration(e.Timeout) * time.Millisecond
	if e.Protocol == "grpc" {
		o := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(e.Endpoint), otlptracegrpc.WithHeaders(headers), otlptracegrpc.WithTimeout(timeout)}
		if strings.HasPrefix(e.Endpoint, "https:") {
			o = append(o, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(secure)))
		}
		if e.Compression == "gzip" {
			o = append(o, otlptracegrpc.WithCompressor("gzip"))
		}
		return otlptracegrpc.New(ctx, o...)
	}
	o := []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(e.url()), otlptracehttp.WithHeaders(headers), otlptracehttp.WithTimeout(timeout),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression),
	}
	if strings.HasPrefix(e.Endpoint, "https:") {
		o = append(o, otlptracehttp.WithTLSClientConfig(secure))
	}
	if e.Compression == "gzip" {
		o = append(o, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	}
	return otlptracehttp.New(ctx, o...)
}

func (e *exportSettings) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if e.CA != "" {
		text, err := os.ReadFile(string(e.CA))
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %s has no PEM certificate", e.CA)
		}
	}
	if e.Cert != "" {
		pair, err := tls.LoadX509KeyPair(string(e.Cert), string(e.Key))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.certFrom, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// reporter logs what goes wrong with traces, once a minute: with a collector
// that is away, every batch says the same.
type reporter struct {
	log  *slog.Logger
	next atomic.Int64 // when there may be another line, seconds since 1970
}

// Handle implements otel.ErrorHandler.
func (r *reporter) Handle(err error) {
	now, next := time.Now().Unix(), r.next.Load()
	if now < next || !r.next.CompareAndSwap(next, now+60) {
		return
	}
	r.log.Warn("traces are not sent", slog.String("error", err.Error()))
}
