// Package gemini is the codec of Google's Gemini API (generateContent and
// streamGenerateContent), spoken natively rather than through Google's
// OpenAI-compatible layer, which loses thoughts and their signatures.
//
// Choices that the API leaves open:
//
//   - A tool's schema goes out as parameters if Google's own schema type can
//     say all of it, else untouched as parametersJsonSchema. Nothing is reduced.
//   - The terminal event of a stream is its end after a finish reason: with
//     several candidates each ends by itself, and only the end of the stream
//     shows that no other candidate follows.
//   - An answer that stops without a single part is an empty answer, not a
//     failure: models say nothing after some tool results.
//   - Only members that Google knows are sent, since it refuses all others.
package gemini

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/adapters/vertex"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// Adapter is the codec of one Gemini endpoint.
type Adapter struct {
	settings       codec.Settings
	family         family
	traits         wire.Traits
	url, streamURL string
	// vertex endpoints are Vertex AI's, which takes access tokens, and calls
	// without ids.
	vertex bool
	// top and config are the operator's members of the request and of its
	// generationConfig.
	top, config extras
}

// extras are the operator's members of one object: raw with leading commas,
// and the names that they take from us.
type extras struct {
	raw   []byte
	names map[string]bool
}

// New returns the adapter for an endpoint's settings. A base URL with a project
// in it is Vertex AI's, as in
// https://us-east5-aiplatform.googleapis.com/v1/projects/P/locations/us-east5.
func New(s codec.Settings) (*Adapter, error) {
	model := strings.TrimPrefix(s.Model, "models/")
	if model == "" || strings.ContainsAny(model, "?#% \t\n") {
		return nil, fmt.Errorf("model %q is not a Gemini model's name, like gemini-2.5-flash", s.Model)
	}
	onVertex, models := vertex.OnVertex(s.BaseURL), "/models/"
	if onVertex {
		models = "/publishers/google/models/"
	}
	url := strings.TrimSuffix(s.BaseURL, "/") + models + model
	a := &Adapter{
		settings: s, vertex: onVertex, family: familyOf(model), traits: traits.Of(model, s.Traits),
		url: url + ":generateContent", streamURL: url + ":streamGenerateContent?alt=sse",
	}
	if err := a.addExtra(s.ExtraBody); err != nil {
		return nil, fmt.Errorf("extra_body: %w", err)
	}
	return a, nil
}

// addExtra takes in the operator's members. Those of generationConfig are
// merged with ours one by one; any other member replaces ours.
func (a *Adapter) addExtra(raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	if err := rawjson.Valid(raw); err != nil {
		return err
	}
	var c rawjson.Cursor
	c.Reset(raw)
	if !c.Object() {
		return errors.New("must be an object")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if string(key) == "generationConfig" && c.Kind() == rawjson.Object {
			a.config.addAll(c.Raw())
			continue
		}
		a.top.add(key, c.Raw())
	}
	return nil
}

func (e *extras) addAll(raw []byte) {
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		e.add(key, c.Raw())
	}
}

func (e *extras) add(key, val []byte) {
	if e.names == nil {
		e.names = map[string]bool{}
	}
	e.names[string(key)] = true
	e.raw = appendMember(e.raw, string(key), val)
}

// Authorize implements codec.Adapter. The key goes into a header: in the URL
// it would end up in logs. Access tokens of Vertex AI are fetched by others; a
// service account's private key must never travel.
func (a *Adapter) Authorize(secret string) codec.Header {
	if secret = strings.TrimSpace(secret); a.vertex {
		if secret == "" || secret[0] == '{' {
			return codec.Header{}
		}
		return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
	}
	return codec.Header{Name: "x-goog-api-key", Value: secret}
}

// appendMember appends ,"key":value.
func appendMember(dst []byte, key string, value []byte) []byte {
	return append(appendKey(dst, key), value...)
}

// appendKey appends ,"key": in front of a value.
func appendKey(dst []byte, key string) []byte {
	return append(append(append(dst, ',', '"'), key...), '"', ':')
}
