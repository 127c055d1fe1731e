// Package openai is the codec of the OpenAI-compatible family: one codec, and
// a profile as data for each server that differs.
package openai

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Adapter is the codec of one endpoint of the family.
type Adapter struct {
	settings codec.Settings
	profile  profile
	url      string
	// model is the upstream model as a literal.
	model []byte
	// extra are the members that every request gets, with leading commas, and
	// override the names that they take.
	extra    []byte
	override map[string]bool
}

// New returns the adapter for an endpoint's settings.
func New(s codec.Settings) (*Adapter, error) {
	p, err := profileOf(s.Kind)
	if err != nil {
		return nil, err
	}
	a := &Adapter{
		settings: s, profile: p, url: chatURL(s.BaseURL, p.unversioned),
		model: rawjson.AppendString(nil, s.Model), extra: []byte(p.extra), override: map[string]bool{},
	}
	if err := a.addExtra(s.ExtraBody); err != nil {
		return nil, fmt.Errorf("extra_body: %w", err)
	}
	return a, nil
}

// chatURL appends the path to a base URL, with /v1 unless it is there.
func chatURL(base string, unversioned bool) string {
	base = strings.TrimSuffix(base, "/")
	if !unversioned && !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	return base + "/chat/completions"
}

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
		a.override[string(key)] = true
		a.extra = appendMember(a.extra, string(key), c.Raw())
	}
	return nil
}

// Authorize implements codec.Adapter.
func (a *Adapter) Authorize(secret string) codec.Header {
	return codec.Header{Name: "Authorization", Value: "Bearer " + strings.TrimSpace(secret)}
}

// appendMember appends ,"key":value.
func appendMember(dst []byte, key string, value []byte) []byte {
	dst = append(append(append(dst, ',', '"'), key...), '"', ':')
	return append(dst, value...)
}
