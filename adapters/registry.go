package adapters

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/openai"
)

// Kinds lists what a route's kind may be.
func Kinds() []string {
	return []string{"demo", "vllm", "sglang", "ollama", "openai_compat"}
}

// New returns the adapter for an endpoint. It is also how the control plane
// checks an endpoint's settings: whatever New accepts, a node can serve.
func New(s Settings) (Adapter, error) {
	switch s.Kind {
	case "demo", "vllm", "sglang", "ollama", "openai_compat":
		return openai.New(s)
	}
	return nil, fmt.Errorf("kind %q is not one of %s", s.Kind, strings.Join(Kinds(), ", "))
}
