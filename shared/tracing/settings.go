package tracing

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/shared/env"
	"github.com/hybridinference/gateway/shared/secret"
)

// Settings are the standard variables of OpenTelemetry
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)
// for traces. Times are in milliseconds, as the standard has them.
type Settings struct {
	Endpoint    string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"URL of the OpenTelemetry collector that gets the traces, such as http://localhost:4318; if neither it nor OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, there are none"`
	Protocol    string        `env:"OTEL_EXPORTER_OTLP_PROTOCOL" default:"http/protobuf" oneof:"http/protobuf,grpc" help:"how traces are sent: http/protobuf, to ENDPOINT/v1/traces, or grpc, usually on port 4317"`
	Headers     secret.String `env:"OTEL_EXPORTER_OTLP_HEADERS" help:"headers for the OpenTelemetry collector, NAME=VALUE separated by commas, values percent-encoded"`
	Timeout     int           `env:"OTEL_EXPORTER_OTLP_TIMEOUT" default:"10000" min:"1" max:"600000" help:"milliseconds that sending a batch of spans may take"`
	Compression string        `env:"OTEL_EXPORTER_OTLP_COMPRESSION" default:"none" oneof:"none,gzip" help:"compression of what is sent: none or gzip"`
	CA          env.File      `env:"OTEL_EXPORTER_OTLP_CERTIFICATE" help:"PEM file with the CA certificates to trust for an https endpoint; the system's if not set"`
	Cert        env.File      `env:"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" help:"PEM file with the client certificate for mTLS"`
	Key         env.File      `env:"OTEL_EXPORTER_OTLP_CLIENT_KEY" help:"PEM file with the key of that certificate"`
	// Traces go before what all signals share.
	Traces     Traces
	Exporter   string `env:"OTEL_TRACES_EXPORTER" default:"otlp" oneof:"otlp,none" help:"where traces go: otlp, or none"`
	Disabled   bool   `env:"OTEL_SDK_DISABLED" default:"false" help:"turn traces off although an endpoint is set"`
	Service    string `env:"OTEL_SERVICE_NAME" help:"service.name of the spans; gateway-dataplane, gateway-collector or gateway-standalone if not set"`
	Resource   string `env:"OTEL_RESOURCE_ATTRIBUTES" help:"attributes of all spans, NAME=VALUE separated by commas, values percent-encoded"`
	Sampler    string `env:"OTEL_TRACES_SAMPLER" default:"parentbased_always_on" oneof:"always_on,always_off,traceidratio,parentbased_always_on,parentbased_always_off,parentbased_traceidratio" help:"which requests are traced; the parentbased ones obey the traceparent of a client"`
	SamplerArg string `env:"OTEL_TRACES_SAMPLER_ARG" help:"share of requests that traceidratio and parentbased_traceidratio trace, 0 to 1; 1 if not set"`
	Queue      int    `env:"OTEL_BSP_MAX_QUEUE_SIZE" default:"2048" min:"1" max:"1048576" help:"spans that wait to be sent; more are dropped"`
	Batch      int    `env:"OTEL_BSP_MAX_EXPORT_BATCH_SIZE" default:"512" min:"1" max:"65536" help:"spans that are sent at a time, at most OTEL_BSP_MAX_QUEUE_SIZE"`
	Delay      int    `env:"OTEL_BSP_SCHEDULE_DELAY" default:"5000" min:"1" max:"600000" help:"milliseconds until a batch that is not full is sent"`
	Export     int    `env:"OTEL_BSP_EXPORT_TIMEOUT" default:"30000" min:"1" max:"600000" help:"milliseconds that a batch may take with all its retries"`
}

// Traces are the variables for traces alone. Those that are not set are those of all signals.
type Traces struct {
	Endpoint    string        `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" help:"like OTEL_EXPORTER_OTLP_ENDPOINT, but over http/protobuf the full URL, such as http://localhost:4318/v1/traces; like the following, for traces alone, and instead of the variable without TRACES"`
	Protocol    string        `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" oneof:"http/protobuf,grpc" help:"like OTEL_EXPORTER_OTLP_PROTOCOL"`
	Headers     secret.String `env:"OTEL_EXPORTER_OTLP_TRACES_HEADERS" help:"like OTEL_EXPORTER_OTLP_HEADERS, which are not sent then"`
	Timeout     int           `env:"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" min:"1" max:"600000" help:"like OTEL_EXPORTER_OTLP_TIMEOUT"`
	Compression string        `env:"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION" oneof:"none,gzip" help:"like OTEL_EXPORTER_OTLP_COMPRESSION"`
	CA          env.File      `env:"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE" help:"like OTEL_EXPORTER_OTLP_CERTIFICATE"`
	Cert        env.File      `env:"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE" help:"like OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"`
	Key         env.File      `env:"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY" help:"like OTEL_EXPORTER_OTLP_CLIENT_KEY"`
}

// exportSettings are what holds for traces, with the names of the variables that say so.
type exportSettings struct {
	Traces

	prefix, headersFrom, certFrom string
}

const (
	forAll    = "OTEL_EXPORTER_OTLP_"
	forTraces = "OTEL_EXPORTER_OTLP_TRACES_"
)

// export returns what holds for traces.
func (s *Settings) export() exportSettings {
	e := exportSettings{Traces: s.Traces, prefix: forTraces, headersFrom: forTraces + "HEADERS", certFrom: forTraces + "CLIENT_CERTIFICATE"}
	e.Protocol, e.Compression = cmp.Or(e.Protocol, s.Protocol), cmp.Or(e.Compression, s.Compression)
	e.Timeout, e.CA = cmp.Or(e.Timeout, s.Timeout), cmp.Or(e.CA, s.CA)
	if e.Endpoint == "" {
		e.prefix, e.Endpoint = forAll, s.Endpoint
	}
	if e.Headers.Reveal() == "" {
		e.headersFrom, e.Headers = forAll+"HEADERS", s.Headers
	}
	if e.Cert == "" && e.Key == "" {
		e.certFrom, e.Cert, e.Key = forAll+"CLIENT_CERTIFICATE", s.Cert, s.Key
	}
	return e
}

// url is where batches are sent over HTTP. Only the endpoint of all signals is without the path.
func (e *exportSettings) url() string {
	if e.prefix == forTraces {
		return e.Endpoint
	}
	return strings.TrimSuffix(e.Endpoint, "/") + "/v1/traces"
}

// On reports whether there are traces at all.
func (s *Settings) On() bool { return s.export().Endpoint != "" && !s.Disabled && s.Exporter != "none" }

// Check implements env.Checker.
func (s *Settings) Check(problem func(format string, args ...any)) {
	s.export().check(problem)
	if _, bad := pairs(s.Resource); bad > 0 {
		problem("OTEL_RESOURCE_ATTRIBUTES must be NAME=VALUE separated by commas, with percent-encoded values; entry %d is not", bad)
	}
	if _, err := s.ratio(); err != nil {
		problem("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, got %q", s.SamplerArg)
	}
	if s.Batch > s.Queue {
		problem("OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be at most OTEL_BSP_MAX_QUEUE_SIZE, got %d and %d", s.Batch, s.Queue)
	}
}

func (e exportSettings) check(problem func(format string, args ...any)) {
	if e.Endpoint != "" {
		if u, err := url.Parse(e.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			problem("%sENDPOINT must be a URL such as http://localhost:4318 or https://otlp.example.com, without user and query, got %q", e.prefix, e.Endpoint)
		} else if e.Protocol == "grpc" && strings.Trim(u.Path, "/") != "" {
			problem("%sENDPOINT must have no path when the protocol is grpc, got %q", e.prefix, e.Endpoint)
		}
	}
	if _, bad := pairs(e.Headers.Reveal()); bad > 0 {
		problem("%s must be NAME=VALUE separated by commas, with percent-encoded values; entry %d is not", e.headersFrom, bad)
	}
	if (e.Cert == "") != (e.Key == "") {
		problem("%s and %s must be set together", e.certFrom, strings.Replace(e.certFrom, "CERTIFICATE", "KEY", 1))
	}
}

// ratio is the share of requests that the ratio samplers trace.
func (s *Settings) ratio() (float64, error) {
	if s.SamplerArg == "" {
		return 1, nil
	}
	x, err := strconv.ParseFloat(s.SamplerArg, 64)
	if err == nil && !(x >= 0 && x <= 1) {
		err = strconv.ErrRange
	}
	return x, err
}

// pair is one NAME=VALUE.
type pair struct{ name, value string }

// pairs reads NAME=VALUE,NAME=VALUE with percent-encoded values; bad is the number of the
// first entry that is none, counted from 1, and 0 if all are.
func pairs(text string) (list []pair, bad int) {
	if strings.TrimSpace(text) == "" {
		return nil, 0
	}
	for i, entry := range strings.Split(text, ",") {
		name, value, found := strings.Cut(entry, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || err != nil || name == "" || strings.ContainsFunc(name, unfit) || strings.ContainsFunc(value, control) {
			return nil, i + 1
		}
		if j := slices.IndexFunc(list, func(p pair) bool { return p.name == name }); j >= 0 {
			list[j].value = value
			continue
		}
		list = append(list, pair{name, value})
	}
	return list, 0
}

// unfit are the characters that no name has.
func unfit(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"(),:;<=>?@[\]{}`, r) }

func control(r rune) bool { return r < ' ' || r == 0x7f }
