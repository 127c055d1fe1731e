package tracing_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	otel "go.opentelemetry.io/otel/trace"

	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/tracing"
	"github.com/hybridinference/gateway/shared/tracing/tracingtest"
)

// parse reads settings from NAME=VALUE.
func parse(vars ...string) (*tracing.Settings, error) {
	values := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	s := new(tracing.Settings)
	return s, env.Parse(s, nil, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
}

// begin starts tracing as a process with these variables does, nil for off.
func begin(t *testing.T, log *logtest.Buffer, vars ...string) *tracing.Tracing {
	t.Helper()
	s, err := parse(vars...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tracing.Start(t.Context(), s, tracing.Process{Service: "gateway-test", Version: "v1", Instance: "i", Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Stop(t.Context()) })
	return out
}

func send(out *tracing.Tracing, count int) {
	for range count {
		out.Send(&tracing.Span{Name: "it", Kind: otel.SpanKindServer, Trace: tracing.NewTraceID(), Start: time.Now(), End: time.Now()})
	}
}

func TestVariables(t *testing.T) {
	dir := t.TempDir()
	cert, key := bustest.SelfSigned(t, dir, "collector")
	clientCert, clientKey := bustest.SelfSigned(t, dir, "client")
	secure := serverTLS(t, cert, key, clientCert)
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		start, prefix := tracingtest.HTTP, "OTEL_EXPORTER_OTLP_"
		if protocol == "grpc" {
			start, prefix = tracingtest.GRPC, "OTEL_EXPORTER_OTLP_TRACES_"
		}
		t.Run(protocol, func(t *testing.T) {
			var log logtest.Buffer
			r := start(t, nil)
			out := begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol, "OTEL_EXPORTER_OTLP_HEADERS=x-key=a%20b,x-other=c",
				"OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_SERVICE_NAME=mine", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test,service.name=not%20mine", "OTEL_BSP_SCHEDULE_DELAY=10")
			send(out, 1)
			s := r.Wait("it", 1)[0]
			if s.Resource["service.name"] != "mine" || s.Resource["deployment.environment.name"] != "test" || s.Resource["service.version"] != "v1" || s.Resource["service.instance.id"] != "i" {
				t.Errorf("resource %v", s.Resource)
			}
			if s.Schema != "https://opentelemetry.io/schemas/1.41.0" {
				t.Errorf("schema %s", s.Schema)
			}
			// What is set for traces alone goes first.
			path := "/mine"
			if protocol == "grpc" {
				path = ""
			}
			send(begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_HEADERS=x-other=c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+r.URL+path,
				"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="+protocol, "OTEL_EXPORTER_OTLP_TRACES_HEADERS=x-key=own", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=none", "OTEL_BSP_SCHEDULE_DELAY=10"), 1)
			r.Wait("it", 2)
			if h := r.Headers(1); h["x-key"] != "own" || h["x-other"] != "" || protocol != "grpc" && (h["path"] != path || h["content-encoding"] != "") {
				t.Errorf("headers by the variables for traces %v", h)
			}
			h := r.Headers(0)
			if h["x-key"] != "a b" || h["x-other"] != "c" || protocol != "grpc" && (h["path"] != "/v1/traces" || h["content-encoding"] != "gzip") || protocol == "grpc" && !strings.Contains(h["grpc-accept-encoding"], "gzip") {
				t.Errorf("headers %v", h)
			}
		})
		t.Run(protocol+" over TLS", func(t *testing.T) {
			var log logtest.Buffer
			r := start(t, secure)
			vars := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=" + protocol, "OTEL_BSP_SCHEDULE_DELAY=10"}
			send(begin(t, &log, append(vars, prefix+"CERTIFICATE="+cert, prefix+"CLIENT_CERTIFICATE="+clientCert, prefix+"CLIENT_KEY="+clientKey)...), 1)
			r.Wait("it", 1)
			// Without either of the two nothing arrives, which the log says.
			for _, less := range [][]string{{"OTEL_EXPORTER_OTLP_CERTIFICATE=" + cert}, {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + clientCert, "OTEL_EXPORTER_OTLP_CLIENT_KEY=" + clientKey}} {
				var log logtest.Buffer
				send(begin(t, &log, append(less, append(vars, "OTEL_BSP_EXPORT_TIMEOUT=200")...)...), 1)
				eventually.True(t, "the log says that nothing is sent", func() bool { return strings.Contains(log.String(), "traces are not sent") })
			}
			if n := len(r.Spans()); n != 1 {
				t.Errorf("%d spans, want 1", n)
			}
		})
	}
}

func serverTLS(t *testing.T, cert, key, client string) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(client)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, NextProtos: []string{"h2", "http/1.1"}}
}

func TestOff(t *testing.T) {
	for _, vars := range [][]string{{}, {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_EXPORTER=none"}} {
		var log logtest.Buffer
		if out := begin(t, &log, vars...); out != nil || log.String() != "" {
			t.Errorf("%v: %v, log %s", vars, out, &log)
		}
	}
}

func TestBatches(t *testing.T) {
	var log logtest.Buffer
	r := tracingtest.HTTP(t, nil)
	endpoint := "OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL
	// A full batch does not wait for the delay.
	out := begin(t, &log, endpoint, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=7", "OTEL_BSP_SCHEDULE_DELAY=600000")
	send(out, 15)
	r.Wait("it", 14)
	for _, batch := range r.Batches() {
		if len(batch) != 7 {
			t.Errorf("a batch of %d, want 7", len(batch))
		}
	}
	if out.Stop(t.Context()); len(r.Spans()) != 15 {
		t.Errorf("%d spans after the stop, want all 15", len(r.Spans()))
	}
	// One that is not full does.
	out = begin(t, &log, endpoint, "OTEL_BSP_SCHEDULE_DELAY=10")
	send(out, 1)
	within(t, "a batch of one arrives", func() bool { return len(r.Spans()) == 16 })
}

// within waits for less than the defaults would take.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	eventually.Nil(t, 4*time.Second, what, func() error {
		if !ok() {
			return errors.New("not yet")
		}
		return nil
	})
}

// A collector that takes nothing costs those who send spans no time.
func TestACollectorThatHangs(t *testing.T) {
	// Each try has the first of these times, all of a batch together have the second.
	for _, times := range [][2]string{{"OTEL_EXPORTER_OTLP_TIMEOUT=50", "600000"}, {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=50", "600000"}, {"OTEL_EXPORTER_OTLP_TIMEOUT=600000", "100"}} {
		var log logtest.Buffer
		r := tracingtest.HTTP(t, nil)
		r.Hang = true
		out := begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_BSP_MAX_QUEUE_SIZE=5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=5", times[0], "OTEL_BSP_EXPORT_TIMEOUT="+times[1])
		begun := time.Now()
		send(out, 20_000)
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("20,000 spans that are not taken need %s", took)
		}
		within(t, "a try is given up", func() bool { return r.GivenUp() > 0 })
	}
	// The queue bounds what waits.
	slow := tracingtest.HTTP(t, nil)
	var log logtest.Buffer
	out := begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT="+slow.URL, "OTEL_BSP_MAX_QUEUE_SIZE=5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=5", "OTEL_BSP_SCHEDULE_DELAY=600000")
	send(out, 10_000)
	out.Stop(t.Context())
	if n := len(slow.Spans()); n == 0 || n > 5_000 {
		t.Errorf("%d of 10,000 spans arrived through a queue of 5", n)
	}
}

// A collector that is away costs one line of the log, however many batches fail.
func TestACollectorThatIsAway(t *testing.T) {
	var log logtest.Buffer
	r := tracingtest.HTTP(t, nil)
	r.Refuse = true
	out := begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=1", "OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_BSP_EXPORT_TIMEOUT=20")
	send(out, 10)
	eventually.True(t, "ten batches fail", func() bool { return r.Requests() >= 10 })
	begun := time.Now()
	out.Stop(t.Context())
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the stop waits %s", took)
	}
	if n := strings.Count(log.String(), "traces are not sent"); n != 1 {
		t.Errorf("%d lines: %s", n, &log)
	}
}

func TestSamplers(t *testing.T) {
	parent := func(sampled otel.TraceFlags) otel.SpanContext {
		return otel.NewSpanContext(otel.SpanContextConfig{TraceID: tracing.NewTraceID(), SpanID: tracing.NewSpanID(), TraceFlags: sampled, Remote: true})
	}
	// of a request without a trace, of one that is traced, of one that is not
	for _, f := range []struct {
		sampler, arg string
		want         [3]int // of 100
	}{
		{"", "", [3]int{100, 100, 0}},
		{"parentbased_always_on", "", [3]int{100, 100, 0}},
		{"parentbased_always_off", "", [3]int{0, 100, 0}},
		{"parentbased_traceidratio", "0", [3]int{0, 100, 0}},
		{"always_on", "", [3]int{100, 100, 100}},
		{"always_off", "", [3]int{0, 0, 0}},
		{"traceidratio", "", [3]int{100, 100, 100}},
		{"traceidratio", "0", [3]int{0, 0, 0}},
		{"traceidratio", "0.5", [3]int{50, 50, 50}},
	} {
		var log logtest.Buffer
		out := begin(t, &log, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_TRACES_SAMPLER="+f.sampler, "OTEL_TRACES_SAMPLER_ARG="+f.arg)
		for i, from := range []otel.SpanContext{{}, parent(otel.FlagsSampled), parent(0)} {
			n := 0
			for range 1000 {
				if out.Sampled(from, tracing.NewTraceID()) {
					n++
				}
			}
			if off := n - 10*f.want[i]; off > 100 || off < -100 {
				t.Errorf("%s %s, parent %v: %d of 1000, want %d %%", f.sampler, f.arg, from.TraceFlags(), n, f.want[i])
			}
		}
	}
}

func TestBadVariables(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318"
	f := func(want string, vars ...string) {
		t.Helper()
		_, err := parse(vars...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v, want %q", vars, err, want)
		}
	}
	for _, bad := range []string{"localhost:4318", "ftp://h", "http://", "https://u:p@h", "http://h?x=1", "::"} {
		f("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as http://localhost:4318", "OTEL_EXPORTER_OTLP_ENDPOINT="+bad)
	}
	f("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be a URL", endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=localhost:4318")
	f("OTEL_EXPORTER_OTLP_TRACES_HEADERS must be NAME=VALUE", endpoint, "OTEL_EXPORTER_OTLP_TRACES_HEADERS=s3cret")
	f("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY must be set together", endpoint, "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY=/dev/null")
	f("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL must be one of http/protobuf, grpc", endpoint, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json")
	f("OTEL_EXPORTER_OTLP_ENDPOINT must have no path", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h/v1", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
	f("OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, grpc, got \"http/json\"", endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json")
	f("OTEL_EXPORTER_OTLP_HEADERS must be NAME=VALUE separated by commas, with percent-encoded values; entry 2 is not", endpoint, "OTEL_EXPORTER_OTLP_HEADERS=a=b,s3cret")
	f("OTEL_EXPORTER_OTLP_HEADERS must be", endpoint, "OTEL_EXPORTER_OTLP_HEADERS=a b=s3cret")
	f("OTEL_EXPORTER_OTLP_HEADERS must be", endpoint, "OTEL_EXPORTER_OTLP_HEADERS=a=s3cret%zz")
	f("OTEL_EXPORTER_OTLP_HEADERS must be", endpoint, "OTEL_EXPORTER_OTLP_HEADERS=a=s3cret%0d%0ax:y")
	f("OTEL_RESOURCE_ATTRIBUTES must be NAME=VALUE", endpoint, "OTEL_RESOURCE_ATTRIBUTES=a=b,,c=d")
	f("OTEL_EXPORTER_OTLP_TIMEOUT must be", endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT=10s")
	f("OTEL_EXPORTER_OTLP_COMPRESSION must be one of none, gzip", endpoint, "OTEL_EXPORTER_OTLP_COMPRESSION=zstd")
	f("OTEL_EXPORTER_OTLP_CERTIFICATE must name a file", endpoint, "OTEL_EXPORTER_OTLP_CERTIFICATE=/none.pem")
	f("must be set together", endpoint, "OTEL_EXPORTER_OTLP_CLIENT_KEY="+os.Args[0])
	f("OTEL_TRACES_SAMPLER must be one of", endpoint, "OTEL_TRACES_SAMPLER=jaeger_remote")
	f("OTEL_TRACES_EXPORTER must be one of otlp, none", endpoint, "OTEL_TRACES_EXPORTER=zipkin")
	f("OTEL_SDK_DISABLED must be", endpoint, "OTEL_SDK_DISABLED=perhaps")
	for _, bad := range []string{"2", "-0.1", "NaN", "half"} {
		f("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1", endpoint, "OTEL_TRACES_SAMPLER_ARG="+bad)
	}
	f("OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE, got 512 and 100", endpoint, "OTEL_BSP_MAX_QUEUE_SIZE=100")
	f("OTEL_BSP_MAX_QUEUE_SIZE must be", endpoint, "OTEL_BSP_MAX_QUEUE_SIZE=0")
	f("OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be", endpoint, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=many")
	f("OTEL_BSP_SCHEDULE_DELAY must be", endpoint, "OTEL_BSP_SCHEDULE_DELAY=-1")
	f("OTEL_BSP_EXPORT_TIMEOUT must be", endpoint, "OTEL_BSP_EXPORT_TIMEOUT=x")
	// A file that is none of its kind stops the start.
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"OTEL_EXPORTER_OTLP_CERTIFICATE"}, {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"}} {
		vars := []string{endpoint}
		for _, name := range names {
			vars = append(vars, name+"="+path)
		}
		s, err := parse(vars...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = tracing.Start(t.Context(), s, tracing.Process{}); err == nil || !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(err.Error(), name) }) {
			t.Errorf("%v: %v", vars, err)
		}
	}
}
