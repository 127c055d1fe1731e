// Package bedrock is the codec of Amazon Bedrock's Converse and ConverseStream.
// Their conversation follows Anthropic's rules under other names: turns that
// alternate, results at the beginning of the user's, thoughts with signatures.
// So package anthropic makes the request, which is renamed here, and reads the
// answer, once its events have got Anthropic's names.
package bedrock

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/eventstream"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// Adapter is the codec of one endpoint.
type Adapter struct {
	inner         *anthropic.Adapter
	region        string
	unary, stream string
	// claude models take thinking and top_k, caching ones cache points.
	claude, caches bool
	// extra are the operator's members, with leading commas, and override the
	// names that they take.
	extra    []byte
	override map[string]bool
}

var regions = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d$`)

// New returns the adapter for an endpoint of kind bedrock.
func New(s codec.Settings) (*Adapter, error) {
	if s.Model == "" {
		return nil, errors.New("provider_model_id: must be a model's id, the id of an inference profile or its ARN")
	}
	if s.Region == "" {
		s.Region = regionOf(s.BaseURL)
	} else if !regions.MatchString(s.Region) {
		return nil, fmt.Errorf("region: must be a region of AWS such as us-east-1, got %q", s.Region)
	}
	model := strings.ToLower(s.Model)
	a := &Adapter{region: s.Region, claude: strings.Contains(model, "claude"), override: map[string]bool{}}
	a.caches = a.claude || strings.Contains(model, "nova")
	base := strings.TrimSuffix(s.BaseURL, "/") + "/model/" + url.PathEscape(s.Model)
	a.unary, a.stream = base+"/converse", base+"/converse-stream"
	if err := a.addExtra(s.ExtraBody); err != nil {
		return nil, fmt.Errorf("extra_body: %w", err)
	}
	s.ExtraBody = nil
	if !a.claude {
		s.Traits = plain(s.Traits)
	}
	var err error
	a.inner, err = anthropic.At(anthropic.Place{Head: `"anthropic_version":"bedrock"`, Partner: true}, s)
	return a, err
}

// regionOf reads the region out of an address of AWS', "" if it is none.
func regionOf(base string) string {
	_, rest, _ := strings.Cut(base, "bedrock-runtime")
	_, rest, _ = strings.Cut(rest, ".") // -fips
	region, _, _ := strings.Cut(rest, ".")
	if !regions.MatchString(region) {
		return ""
	}
	return region
}

// plain are the traits of models of other families, which have no switch for
// thinking that they share. What the operator says goes ahead.
func plain(own *wire.Traits) *wire.Traits {
	t := wire.Traits{Thinking: "never", ThinkingDefault: "off", Sampling: "always", ForcedTools: "always", Schema: "none", Prefill: "no", SystemMessages: "leading"}
	all := traits.Of("", own, &t)
	return &all
}

func (a *Adapter) addExtra(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	if err := rawjson.Valid(raw); err != nil {
		return err
	}
	if raw[0] != '{' {
		return errors.New("must be an object")
	}
	for key, val := range rawjson.Members(raw) {
		if string(key) == "messages" {
			return errors.New("messages: is the gateway's to set")
		}
		a.override[string(key)] = true
		a.extra = append(append(append(append(a.extra, ',', '"'), key...), '"', ':'), val...)
	}
	return nil
}

// Authorize implements codec.Adapter. A secret with a colon is an access key,
// which signs requests and never travels; any other is an API key of Bedrock's.
func (a *Adapter) Authorize(secret string) codec.Header {
	secret = strings.TrimSpace(secret)
	if secret == "" || strings.Contains(secret, ":") {
		return codec.Header{}
	}
	return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
}

// Signs implements codec.Signed. Without a secret the machine's own keys sign,
// unless the region is unknown: the address is of something that needs none.
func (a *Adapter) Signs(secret string) (service, region string, ok bool) {
	return "bedrock", a.region, strings.Contains(secret, ":") || secret == "" && a.region != ""
}

// Frames implements codec.Framed.
func (a *Adapter) Frames() codec.Frames { return new(eventstream.Reader) }

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error {
	r := codec.ReadReport(body)
	f := codec.Classify(status, r)
	switch msg := strings.ToLower(r.Message); {
	case status == 424, status == 429 && strings.Contains(msg, "not ready"):
		f.Kind = fault.Overloaded // the model failed, or is not there yet
	case strings.Contains(msg, "too long for requested model"):
		f.Kind = fault.ContextLength
	}
	return f
}

// exception makes a fault of an error inside a stream.
func exception(kind string, body []byte) *fault.Error {
	r := codec.ReadReport(body)
	kinds := map[string]fault.Kind{
		"throttlingException": fault.RateLimit, "validationException": fault.InvalidRequest, "serviceUnavailableException": fault.Overloaded,
		"modelTimeoutException": fault.Timeout, "modelStreamErrorException": fault.Unavailable, "internalServerException": fault.Unavailable,
	}
	known, ok := kinds[kind]
	if !ok {
		known = fault.Unavailable
	}
	if r.Code == "" {
		r.Code = kind
	}
	return r.As(known, 0)
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}

// Encode implements codec.Adapter.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.unary
	if r.Stream {
		call.URL = a.stream
	}
	var messages codec.Call
	if err := a.inner.AppendBody(r, &messages); err != nil {
		return err
	}
	call.Dropped |= messages.Dropped
	call.Omitted = append(call.Omitted, messages.Omitted...)
	d := draft{Adapter: a, call: call, r: r, dst: call.Body}
	err := d.write(messages.Body)
	call.Body = d.dst
	return err
}
