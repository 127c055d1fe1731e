// Package anthropic is the codec of Anthropic's Messages API. Package vertex
// uses it for Claude models on Google's side of the fence.
package anthropic

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	defaultBase = "https://api.anthropic.com"
	// version is the API's only one so far. It names the shape of requests and
	// answers; models are not bound to it.
	version = "2023-06-01"
	// defaultMaxTokens is sent when neither client nor model sets a limit: the
	// API requires one.
	defaultMaxTokens = 4096
)

// Place is where the Messages API is served. The zero value is Anthropic.
type Place struct {
	// Head is the raw member that comes first in each body, `"model":"..."` if
	// it is empty.
	Head string
	// Partner places know neither service tiers nor automatic caching.
	Partner bool
}

// Adapter is the codec of one endpoint.
type Adapter struct {
	settings codec.Settings
	place    Place
	traits   wire.Traits
	url      string
	// extra are the members that every request gets, with leading commas, and
	// override the names that they take.
	extra    []byte
	override map[string]bool
}

// New returns the adapter for an endpoint of kind anthropic.
func New(s codec.Settings) (*Adapter, error) { return At(Place{}, s) }

// At returns the adapter for an endpoint at some place. Its URL, headers and
// authorisation are Anthropic's; a place that has others brings its own.
func At(p Place, s codec.Settings) (*Adapter, error) {
	if p.Head == "" {
		p.Head = string(rawjson.AppendString([]byte(`"model":`), s.Model))
	}
	a := &Adapter{settings: s, place: p, traits: traitsOf(s), url: messagesURL(s.BaseURL), override: map[string]bool{}}
	if err := a.addExtra(s.ExtraBody); err != nil {
		return nil, fmt.Errorf("extra_body: %w", err)
	}
	return a, nil
}

// traitsOf returns what is known of the model. A name that is not Claude's is
// taken for a model that has what most have.
func traitsOf(s codec.Settings) wire.Traits {
	if t := traits.Of(s.Model, s.Traits); t.Prefill != "" {
		return t
	}
	return traits.Of("claude", s.Traits)
}

// messagesURL appends the path to a base URL, with /v1 unless it is there.
func messagesURL(base string) string {
	base = strings.TrimSuffix(base, "/")
	if base == "" {
		base = defaultBase
	}
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	return base + "/messages"
}

func (a *Adapter) addExtra(raw []byte) error {
	raw = bytes.TrimSpace(raw)
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
		a.override[string(key)] = true
		a.extra = append(append(append(a.extra, ',', '"'), key...), '"', ':')
		a.extra = append(a.extra, val...)
	}
	return nil
}

// Encode implements codec.Adapter.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.url
	call.Headers = append(call.Headers, codec.Header{Name: "anthropic-version", Value: version})
	return a.AppendBody(r, call)
}

// Authorize implements codec.Adapter. Tokens of a subscription's log-in go
// where OAuth wants them.
func (a *Adapter) Authorize(secret string) codec.Header {
	secret = strings.TrimSpace(secret)
	if strings.HasPrefix(secret, "sk-ant-oat") {
		return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
	}
	return codec.Header{Name: "x-api-key", Value: secret}
}

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error { return faultOf(status, body) }

func faultOf(status int, body []byte) *fault.Error {
	return codec.Classify(status, codec.ReadReport(body))
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}
