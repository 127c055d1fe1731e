// Package provider has the scripted upstream speak the wire format of every
// provider, each below a path of its own. It plays one conversation: asked for
// the weather it thinks and calls a tool, told the tool's result it thinks and
// answers. It is strict: a request that the real provider would refuse gets
// that provider's error, and a complaint that the test sees.
package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

// What is said in the conversation.
const (
	Question = "What is the weather in Oslo?"
	Tool     = "get_weather"
	Place    = "Oslo"
	Result   = "7 degrees, light rain"
	Answer   = "It is 7 degrees in Oslo, with light rain."
	first    = "The weather is asked for, so I call the tool."
	second   = "The tool has told me."
	greeting = "Hello there."
)

// speaker answers requests in one provider's language.
type speaker interface {
	// answer writes to w. What it says of r with c is why it refuses.
	answer(w http.ResponseWriter, r *request, c *complaints)
}

// request is what a provider was sent.
type request struct {
	*http.Request
	kind string
	body map[string]any
	raw  []byte
}

// Server is a running upstream.
type Server struct {
	*upstream.Server
	speakers map[string]speaker
	oauth    *oauth

	left atomic.Int64

	mu   sync.Mutex
	said []string
	seen map[string]int
}

// Start returns a server that is to be closed.
func Start() (*Server, error) {
	up, err := upstream.Start(upstream.Options{})
	if err != nil {
		return nil, err
	}
	s := &Server{Server: up, speakers: speakers(), seen: map[string]int{}}
	if s.oauth, err = newOAuth(s.URL() + "/oauth/token"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for _, name := range []string{"stage", "wings"} {
		s.speakers[name] = stage{name: name, left: &s.left}
	}
	s.speakers["vertex"] = claude{vertex: true, oauth: s.oauth}
	s.speakers["vertex-gemini"] = gemini{vertex: true, oauth: s.oauth}
	return s, s.Set(upstream.Rule{Path: "/", Script: upstream.Script{Respond: s.ServeHTTP}})
}

func speakers() map[string]speaker {
	all := map[string]speaker{"gemini": gemini{}, "anthropic": claude{}, "claude": claude{proxy: true}, "embeddings": vectors{}, "bedrock": bedrock{}}
	for _, family := range []map[string]dialect{ownHardware(), hosted()} {
		for name, d := range family {
			all[name] = d
		}
	}
	return all
}

// Key is the credential that a speaker demands.
func Key(name string) string {
	if name == "bedrock" {
		return "AKIDEXAMPLE0123:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	}
	return "sk-" + name + "-0123456789"
}

// Model is the name that a speaker's model has there. By some of the names the
// gateway knows what a model needs.
func Model(name string) string {
	models := map[string]string{
		"deepseek": "deepseek-reasoner", "minimax": "MiniMax-M2", "featherless": "Qwen/Qwen3-32B", "zhipu": "glm-4.6", "gemini": "gemini-3-pro-preview", "vertex-gemini": "gemini-3-pro-preview",
		"openai": "gpt-4.1", "azure": "our-gpt-4.1", "mistral": "mistral-medium-3.5", "xai": "grok-4.3", "together": "Qwen/Qwen3.6-27B", "fireworks": "accounts/fireworks/models/glm-5p1",
		"moonshot": "kimi-k2.6", "qwen": "qwen3.6-plus",
		"openrouter": "anthropic/claude-sonnet-4.5", "openrouter-pinned": "anthropic/claude-sonnet-4.5",
		"anthropic": "claude-sonnet-4-5-20250929", "bedrock": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude": "claude-sonnet-4-5@20250929", "vertex": "claude-sonnet-4-5@20250929",
	}
	if model := models[name]; model != "" {
		return model
	}
	return "some/" + name
}

// Complaints are the requests that a provider would have refused.
func (s *Server) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.said)
}

// Seen is how many requests a speaker has had.
func (s *Server) Seen(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[name]
}

// Left is how many endless streams were ended by their reader.
func (s *Server) Left() int64 { return s.left.Load() }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	name, path, _ := strings.Cut(strings.TrimPrefix(hr.URL.Path, "/"), "/")
	if name == "oauth" {
		s.oauth.ServeHTTP(w, hr)
		return
	}
	if hr.URL.Path = "/" + path; s.studio(w, hr, name) {
		return
	}
	r, c := &request{Request: hr, kind: name}, &complaints{}
	raw, err := io.ReadAll(hr.Body)
	if err != nil {
		return // the gateway left
	}
	r.raw = raw
	if err := json.Unmarshal(raw, &r.body); err != nil {
		c.sayf("the body is not an object: %v", err)
	}
	c.want("method", hr.Method, http.MethodPost)
	c.want("content type", hr.Header.Get("Content-Type"), "application/json")
	if speaks, ok := s.speakers[name]; ok {
		speaks.answer(w, r, c)
	} else {
		c.sayf("unknown provider")
		http.NotFound(w, hr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[name]++
	for _, text := range c.list {
		s.said = append(s.said, fmt.Sprintf("%s %s: %s\n%s", name, hr.URL.Path, text, raw))
	}
}
