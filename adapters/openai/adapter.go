// Package openai is the codec of the OpenAI-compatible family: one codec, and
// a profile as data for each server that differs.
package openai

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// Adapter is the codec of one endpoint of the family.
type Adapter struct {
	settings codec.Settings
	profile  Profile
	traits   wire.Traits
	dialects dialects
	// family is who made the model, as far as its reasoning_details tell.
	family string
	// base ends in the API's version; responses is that of the Responses API, and
	// query follows the path.
	base, responses, query string
	// url is where chats go.
	url string
	// model is the upstream model as a literal.
	model []byte
	// extra are the members that every chat request gets, with a leading comma,
	// always those that any request gets, and override the names that they take.
	extra    []byte
	always   []byte
	override map[string]bool
}

// New returns the adapter for an endpoint of a server with that profile.
func New(p Profile, s codec.Settings) (*Adapter, error) {
	p, err := p.tuned(s)
	if err != nil {
		return nil, err
	}
	a := &Adapter{settings: s, profile: p, traits: traitsOf(s, &p), family: cmp.Or(p.family, familyOf(s.Model)), base: baseURL(s.BaseURL, p.unversioned), override: map[string]bool{}}
	a.model = rawjson.AppendString(nil, s.Model)
	if a.responses = a.base; p.azure {
		if err := a.addressAzure(s); err != nil {
			return nil, err
		}
	}
	a.url = a.base + "/chat/completions" + a.query
	if a.dialects, err = dialectsOf(s, &p); err != nil {
		return nil, err
	}
	if err := a.addExtra(s.ExtraBody); err != nil {
		return nil, fmt.Errorf("extra_body: %w", err)
	}
	if err := a.addExtra([]byte(p.route)); err != nil {
		return nil, fmt.Errorf("route: %w", err)
	}
	a.always = slices.Clip(a.extra)
	return a, a.addExtra([]byte(p.extra))
}

// traitsOf returns what is known of the model. What is known of Claude and
// Gemini holds for their own APIs: whoever serves them in this language has
// taken care of it.
func traitsOf(s codec.Settings, p *Profile) wire.Traits {
	model := strings.ToLower(s.Model)
	if strings.Contains(model, "claude") || strings.Contains(model, "gemini") {
		model = ""
	}
	return traits.Of(model, s.Traits, &p.base)
}

// baseURL returns the URL under which the methods stand. A URL that is a host
// only gets /v1; one with a path of its own is not changed.
func baseURL(base string, unversioned bool) string {
	base = strings.TrimSuffix(base, "/")
	if _, rest, ok := strings.Cut(base, "://"); ok && !unversioned && !strings.Contains(rest, "/") {
		base += "/v1"
	}
	return base
}

// addExtra takes in the members of an object, less those that are there already.
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
		return fmt.Errorf("must be an object")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		value := c.Raw()
		switch string(key) {
		case "model", "messages", "stream", "stream_options":
			return fmt.Errorf("%s: is the gateway's to set", key)
		}
		if !a.override[string(key)] {
			a.override[string(key)] = true
			a.extra = appendMember(append(a.extra, ','), key, value)
		}
	}
	return nil
}

// Authorize implements codec.Adapter.
func (a *Adapter) Authorize(secret string) codec.Header {
	if secret = strings.TrimSpace(secret); a.profile.azure {
		return authorizeAzure(secret)
	}
	return codec.Header{Name: "Authorization", Value: "Bearer " + secret}
}
