// Package adapters maps a route's kind to its codec.
package adapters

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/gemini"
	"github.com/hybridinference/gateway/adapters/openai"
	"github.com/hybridinference/gateway/adapters/vertex"
)

// Kinds lists what a route's kind may be.
func Kinds() []string { return append(openai.Kinds(), "anthropic", "claude", "gemini") }

// New returns the codec for an endpoint. It is also how the control plane
// checks an endpoint's settings: whatever New accepts, a node can serve.
func New(s codec.Settings) (codec.Adapter, error) {
	if slices.Contains(openai.Kinds(), s.Kind) {
		return openai.New(s)
	}
	switch s.Kind {
	case "anthropic":
		return anthropic.New(s)
	case "claude":
		return vertex.New(s)
	case "gemini":
		return gemini.New(s)
	}
	return nil, fmt.Errorf("kind %q is not one of %s", s.Kind, strings.Join(Kinds(), ", "))
}
