package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Release is one numbered state of the routing: what every node serves.
// Releases are ordered by (Epoch, Number); an epoch begins when the control
// state is created anew or restored.
type Release struct {
	V      int    `json:"v"`
	Epoch  uint64 `json:"epoch"`
	Number uint64 `json:"number"`
	// Time is the moment of publishing, seconds since 1970.
	Time   int64  `json:"time"`
	Author string `json:"author"`
	Reason string `json:"reason"`
	// Hash is Snapshot.Hash: two releases of the same hash route alike.
	Hash     string   `json:"hash"`
	Snapshot Snapshot `json:"snapshot"`
}

// Snapshot is everything a node needs to route, except keys and secrets.
type Snapshot struct {
	// DefaultModel answers requests that name none.
	DefaultModel string      `json:"default_model"`
	Models       []Model     `json:"models"`
	HealthCheck  HealthCheck `json:"health_check"`
}

// HealthCheck is routing.yaml's probing of local endpoints.
type HealthCheck struct {
	// IntervalMS is 0 when probing is off.
	IntervalMS int64 `json:"interval_ms"`
	TimeoutMS  int64 `json:"timeout_ms"`
	// Path is asked for; "" is /health, or / of an Ollama.
	Path string `json:"path,omitempty"`
	// Statuses are those of a healthy server; none is any from 200 to 299.
	Statuses []int `json:"statuses,omitempty"`
	// Metrics is the path at which servers tell their load; "" leaves it unknown.
	Metrics string `json:"metrics,omitempty"`
}

// Model is one public model and the endpoints that serve it.
type Model struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Description   string `json:"description,omitempty"`
	HuggingFaceID string `json:"hugging_face_id,omitempty"`
	OwnedBy       string `json:"owned_by,omitempty"`
	// Type is "chat" or "embedding".
	Type    string   `json:"type"`
	Aliases []string `json:"aliases,omitempty"`
	// Created is when the model first appeared in a release, seconds since 1970.
	Created             int64    `json:"created"`
	ContextLength       int      `json:"context_length"`
	MaxOutputLength     int      `json:"max_output_length"`
	InputModalities     []string `json:"input_modalities"`
	OutputModalities    []string `json:"output_modalities"`
	Quantization        string   `json:"quantization,omitempty"`
	SupportsTools       bool     `json:"supports_tools"`
	SupportsStructured  bool     `json:"supports_structured_output"`
	SupportedParameters []string `json:"supported_parameters"`
	RequiredRole        string   `json:"required_role"`
	Pricing             Pricing  `json:"pricing"`
	// Selection is how an endpoint is chosen. Configured is what the files say of
	// it: Selection differs from it where an operator has overridden it.
	Selection
	Configured Selection  `json:"configured,omitzero"`
	Endpoints  []Endpoint `json:"endpoints"`
	// Queue has requests wait while all endpoints are full, nil has them refused.
	Queue *Queue `json:"queue,omitempty"`
	// Hedge has a second endpoint asked where the first is slow, nil for none.
	Hedge *Hedge `json:"hedge,omitempty"`
}

// Hedge says when a request is sent to a second endpoint, too.
type Hedge struct {
	// AfterMS is how long it has no content by then, 0 for the model's 95th
	// percentile.
	AfterMS int64 `json:"after_ms,omitempty"`
	// Budget is the share of the model's requests that may be, above 0 and up to 1.
	Budget float64 `json:"budget"`
}

// Queue bounds the requests that wait for a place at one model's endpoints.
type Queue struct {
	// Size is how many may wait on each node, WaitMS for how long.
	Size   int   `json:"size"`
	WaitMS int64 `json:"wait_ms"`
}

// Endpoint is one upstream of a model.
type Endpoint struct {
	// ID is unique in the release, stable, and starts with "<model>:".
	ID string `json:"id"`
	// Kind is the adapter, Slug the pinned provider of an openrouter[slug].
	Kind string `json:"kind"`
	Slug string `json:"slug,omitempty"`
	// Provider is the display name in answers and the log.
	Provider string `json:"provider"`
	// Weight is the endpoint's share; 0 is registered but never used.
	Weight float64 `json:"weight"`
	// Configured is the weight that the files give. Weight differs from it when
	// an operator has overridden it.
	Configured float64 `json:"configured"`
	// Held is set while an operator has taken the endpoint out of service, to
	// the weight that it gets back. Weight is 0 then.
	Held    *float64 `json:"held,omitempty"`
	BaseURL string   `json:"base_url,omitempty"`
	// Region is where a provider with regions serves the endpoint.
	Region string `json:"region,omitempty"`
	// APIVersion is the version of the provider's API that is spoken, "" for the
	// kind's own.
	APIVersion    string `json:"api_version,omitempty"`
	UpstreamModel string `json:"upstream_model"`
	// Secrets are names of the node's environment variables, never values.
	Secrets      []string          `json:"secrets,omitempty"`
	Processor    string            `json:"processor,omitempty"`
	ExtraBody    json.RawMessage   `json:"extra_body,omitempty"`
	ExtraHeaders map[string]string `json:"extra_headers,omitempty"`
	// SecretHeaders and SecretBody are further members of these whose values are
	// secrets: names of the node's environment variables, by header and by
	// member of the body.
	SecretHeaders map[string]string `json:"secret_headers,omitempty"`
	SecretBody    map[string]string `json:"secret_body,omitempty"`
	// Traits override what the nodes know of the model.
	Traits *Traits `json:"traits,omitempty"`
	// TimeoutMS bounds a non-streamed answer, 0 for the node's default.
	TimeoutMS      int64 `json:"timeout_ms,omitempty"`
	MaxConcurrency int   `json:"max_concurrency,omitempty"`
	// RPM and TPM are what the provider allows, over all nodes: requests, and
	// prompt and completion tokens, in any 60 seconds; 0 for no limit.
	RPM     int64   `json:"rpm,omitempty"`
	TPM     int64   `json:"tpm,omitempty"`
	Pricing Pricing `json:"pricing"`
	// ZDR endpoints keep no prompts, NoCollection ones do not collect them for
	// purposes of their own.
	ZDR          bool `json:"zdr,omitempty"`
	NoCollection bool `json:"no_collection,omitempty"`
	// Responses endpoints serve OpenAI's Responses API themselves: a client's
	// request to it goes through as it is.
	Responses bool `json:"responses,omitempty"`
	// StandIn endpoints of kind demo have others of another kind beside them in
	// the configuration: they answer only while none of these can, and only on
	// a node for trying things out.
	StandIn bool `json:"stand_in,omitempty"`
	// Priority ranks the endpoint under the policy priority: the lowest is used.
	Priority int `json:"priority,omitempty"`
	// Shadow is the share of the model's requests, up to 1, of which the endpoint
	// gets a copy that no client hears from; 0 is none. Its weight is 0 then.
	Shadow float64 `json:"shadow,omitempty"`
	// Probe marks an endpoint that the health check watches.
	Probe bool `json:"probe,omitempty"`
}

// Limits are what the endpoint's provider allows. While no daemon grants, nodes
// go on: the provider itself refuses what is too much.
func (e *Endpoint) Limits() (list []Limit) {
	if e.RPM > 0 {
		list = append(list, Limit{Kind: LimitRPM, Value: e.RPM, OnOutage: OutageOpen})
	}
	if e.TPM > 0 {
		list = append(list, Limit{Kind: LimitTPM, Value: e.TPM, OnOutage: OutageOpen})
	}
	return list
}

// Disabled reports whether an operator has taken the endpoint out of service.
func (e *Endpoint) Disabled() bool { return e.Held != nil }

// Intended is the weight that the endpoint has or, while it is disabled, gets back.
func (e *Endpoint) Intended() float64 {
	if e.Held != nil {
		return *e.Held
	}
	return e.Weight
}

// Overridden reports whether an operator has set another weight than the files give.
func (e *Endpoint) Overridden() bool { return e.Intended() != e.Configured }

// Reset gives the endpoint a weight, which it gets only when it is enabled
// again if it is not to be in service.
func (e *Endpoint) Reset(weight float64, disabled bool) {
	e.Weight, e.Held = weight, nil
	if disabled {
		e.Weight, e.Held = 0, &weight
	}
}

// Sum returns the hash of the snapshot's canonical JSON, in hex.
func (s *Snapshot) Sum() (string, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("encode snapshot: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// Encode returns the release as JSON.
func (r *Release) Encode() ([]byte, error) {
	r.V = Version
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode release %d: %w", r.Number, err)
	}
	return b, nil
}

// decode unmarshals b into msg and refuses a version from the future.
func decode(b []byte, msg any, version *int) error {
	if err := json.Unmarshal(b, msg); err != nil {
		return fmt.Errorf("not readable: %w", err)
	}
	if *version < 1 || *version > Version {
		return fmt.Errorf("version %d, this program reads up to %d", *version, Version)
	}
	return nil
}
