// Package vertex is the codec for Claude models that Google serves: on Vertex
// AI itself, or behind a proxy that speaks its rawPredict methods. The language
// is Anthropic's; address, authorisation and errors are not.
package vertex

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// head takes the place of the model, which is in the URL or the proxy's affair.
const head = `"anthropic_version":"vertex-2023-10-16"`

// Adapter is the codec of one endpoint of kind claude.
type Adapter struct {
	claude *anthropic.Adapter
	// proxy endpoints want their key in a header of their own.
	proxy bool
	// unary and stream are the URLs of the two methods.
	unary, stream string
}

// New returns the adapter for an endpoint's settings. A base URL with a
// project in it is Vertex AI's, as in
// https://us-east5-aiplatform.googleapis.com/v1/projects/P/locations/us-east5;
// any other is a proxy's.
func New(s codec.Settings) (*Adapter, error) {
	claude, err := anthropic.At(anthropic.Place{Head: head, Partner: true}, s)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(s.BaseURL, "/")
	a := &Adapter{claude: claude, proxy: !OnVertex(s.BaseURL)}
	method := base + "/publishers/anthropic/models/" + ModelID(s.Model)
	if a.proxy {
		method = strings.TrimSuffix(base, "/v1") + "/v1"
	}
	a.unary, a.stream = method+":rawPredict", method+":streamRawPredict"
	return a, nil
}

// OnVertex reports whether a base URL is that of Vertex AI, which takes OAuth
// tokens, and not that of a proxy with keys of its own.
func OnVertex(base string) bool { return strings.Contains(base, "/projects/") }

// ModelID returns Vertex AI's id of a model: where Anthropic writes
// claude-sonnet-4-5-20250929 it has claude-sonnet-4-5@20250929.
func ModelID(model string) string {
	const date = len("20250929")
	at := len(model) - date - 1
	if at <= 0 || model[at] != '-' || strings.Trim(model[at+1:], "0123456789") != "" {
		return model
	}
	return model[:at] + "@" + model[at+1:]
}

// Encode implements codec.Adapter.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.unary
	if r.Stream {
		call.URL = a.stream
	}
	return a.claude.AppendBody(r, call)
}

// EncodeMessages fills call with a client's own Messages request, as it is but
// for the model.
func (a *Adapter) EncodeMessages(body []byte, call *codec.Call) error {
	call.URL = a.unary
	if string(chat.Member(body, "stream")) == "true" {
		call.URL = a.stream
	}
	return a.claude.AppendMessages(body, call)
}

// CountsTokens reports whether the endpoint counts the tokens of a request: a
// proxy is not known to.
func (a *Adapter) CountsTokens() bool { return !a.proxy }

// EncodeCountTokens fills call with a client's own request for the number of
// tokens. The model is in the body here.
func (a *Adapter) EncodeCountTokens(body []byte, call *codec.Call) error {
	call.URL = a.unary[:strings.LastIndexByte(a.unary, '/')+1] + "count-tokens:rawPredict"
	return a.claude.AppendCountTokens(body, call)
}

// Authorize implements codec.Adapter. The secret is a proxy's key, or an OAuth
// token: making one of a service account is not the codec's business, but its
// private key must never travel.
func (a *Adapter) Authorize(secret string) codec.Header {
	secret = strings.TrimSpace(secret)
	switch {
	case a.proxy:
		return codec.Header{Name: "api-key", Value: secret}
	case secret == "" || secret[0] == '{':
		return codec.Header{}
	}
	return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
}

// Decoder implements codec.Adapter. Anthropic's decoder knows the answers of
// proxies, too: a unary message where a stream was asked for, and errors of
// Google's form or of the form {"Code","Error"} inside a 200.
func (a *Adapter) Decoder() codec.Decoder { return a.claude.Decoder() }

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error {
	f := a.claude.Fault(status, body)
	if f.Kind == fault.InvalidRequest && f.Code == "FAILED_PRECONDITION" {
		// the project has not enabled the model: our configuration, not the request
		f.Kind, f.Message = fault.NotFound, "The upstream does not serve this model"
	}
	return f
}
