package config

import (
	"math"
	"regexp"
	"slices"

	"github.com/hybridinference/gateway/shared/wire"
)

// Model is one entry of models.
type Model struct {
	// At is where the entry stands.
	At          Place
	ID          string
	Name        string // the id if absent
	Description string
	// HuggingFaceID is the repository of the weights, such as zai-org/GLM-4.6.
	HuggingFaceID string
	// Provider is who is said to own the model, "" if absent; routes without a
	// kind take it as theirs.
	Provider string
	// Type is TypeChat or TypeEmbedding.
	Type string
	// Aliases are further public ids.
	Aliases []string
	// ContextLength is 8192 if absent, MaxOutputLength 4096, both in tokens.
	ContextLength, MaxOutputLength int
	// InputModalities and OutputModalities are [text] if absent.
	InputModalities, OutputModalities       []string
	Quantization                            string // bf16 if absent
	SupportsTools, SupportsStructuredOutput bool
	// SupportedParams are [temperature, top_p, max_tokens] if absent.
	SupportedParams []string
	// RequiredRole is free (if absent), pro, internal or admin.
	RequiredRole string
	Pricing      Pricing
	// Selection is what the file says of policy and affinity.
	Selection wire.Selection
	// Queue has requests wait while all endpoints are full, nil if absent.
	Queue *wire.Queue `json:",omitempty"`
	// Hedge has a second endpoint asked where the first is slow, nil if absent.
	Hedge *wire.Hedge `json:",omitempty"`
	// Routes are the endpoints in the order of the file, without those that
	// are absent because their base_url expands to nothing. It may be empty.
	Routes []Route
}

// The types of a model.
const (
	TypeChat      = "chat"
	TypeEmbedding = "embedding"
)

// modelEntry is a model while it is read.
type modelEntry struct {
	Model
	at value
	// id, names and provider remember where the keys stand.
	id, provider value
	names        []value
	role         value
	adminOnly    bool
	// shared is what the model's routes start from.
	shared routeEntry
	routes value
	// hosted means that some route needs an upstream.
	hosted bool
	// endpoints are the endpoint ids given so far.
	endpoints map[string]Place
}

var (
	modelID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$`)
	// modelAlias may stand for all names that begin alike.
	modelAlias = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,198}\*?$`)
	paramName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

const (
	whatModelID    = "an id of letters, digits and . _ : / @ + -"
	whatModelAlias = "an id, with or without * at its end for all names that begin so"
	whatParamName  = "the name of a request parameter, such as top_k"
)

func modelKeys() []key[modelEntry] {
	own := []key[modelEntry]{
		{"id", func(v value, m *modelEntry) { m.id = v; v.name(&m.ID, modelID, whatModelID) }},
		{"name", func(v value, m *modelEntry) { v.text(&m.Name) }},
		{"description", func(v value, m *modelEntry) { v.text(&m.Description) }},
		{"hugging_face_id", func(v value, m *modelEntry) { v.text(&m.HuggingFaceID) }},
		{"provider", func(v value, m *modelEntry) { m.provider = v; v.text(&m.Provider) }},
		{"type", readType},
		{"model_type", readType},
		{"aliases", readAliases},
		{"context_length", func(v value, m *modelEntry) { v.integer(&m.ContextLength, 1, math.MaxInt32) }},
		{"max_output_length", func(v value, m *modelEntry) { v.integer(&m.MaxOutputLength, 0, math.MaxInt32) }},
		{"input_modalities", func(v value, m *modelEntry) { v.modalities(&m.InputModalities) }},
		{"output_modalities", func(v value, m *modelEntry) { v.modalities(&m.OutputModalities) }},
		{"quantization", func(v value, m *modelEntry) { v.text(&m.Quantization) }},
		{"supports_tools", func(v value, m *modelEntry) { v.flag(&m.SupportsTools) }},
		{"supports_structured_output", func(v value, m *modelEntry) { v.flag(&m.SupportsStructuredOutput) }},
		{"supported_params", readSupportedParams},
		{"required_role", readRole},
		{"admin_only", readAdminOnly},
		{"policy", func(v value, m *modelEntry) { v.choice(&m.Selection.Policy, wire.Policies()...) }},
		{"affinity", func(v value, m *modelEntry) { v.choice(&m.Selection.Affinity, wire.Affinities()...) }},
		{"queue", readQueue},
		{"hedge", readHedge},
		{"route", func(v value, m *modelEntry) { m.routes = v }},
		{"routing_strategy", readStrategy},
	}
	return slices.Concat(own, lift(sharedKeys(), func(m *modelEntry) *routeEntry { return &m.shared }), ignored[modelEntry]("router", "router_params"))
}

func readModel(v value) *modelEntry {
	m := &modelEntry{at: v, endpoints: make(map[string]Place), Model: Model{
		At:               v.place(),
		ContextLength:    8192,
		MaxOutputLength:  4096,
		InputModalities:  []string{"text"},
		OutputModalities: []string{"text"},
		Quantization:     "bf16",
		SupportedParams:  []string{"temperature", "top_p", "max_tokens"},
		RequiredRole:     "free",
	}}
	if read(v, modelKeys(), m) {
		m.settle()
	}
	return m
}

// settle does what needs the whole mapping.
func (m *modelEntry) settle() {
	if !m.id.given() {
		m.at.needs("id", "the model name that clients send")
	}
	if m.Name == "" {
		m.Name = m.ID
	}
	if m.Type == "" {
		m.Type = TypeChat
	}
	if m.Type == TypeChat && m.MaxOutputLength == 0 {
		m.at.problemf("max_output_length must be at least 1 for a chat model")
	}
	m.settleRole()
	m.Pricing = m.shared.Pricing
	m.settleRoutes()
}

func (m *modelEntry) claim(taken claims) {
	if m.ID != "" {
		taken.take(m.ID, m.ID, m.id)
	}
	for i, v := range m.names {
		taken.take(m.Aliases[i], m.ID, v)
	}
}

func readType(v value, m *modelEntry) {
	before := m.Type
	v.choice(&m.Type, TypeChat, TypeEmbedding)
	if before != "" && before != m.Type {
		v.problemf("type and model_type are the same setting and conflict: keep type")
	}
}

func readAliases(v value, m *modelEntry) {
	items, _ := v.items()
	for _, item := range items {
		var alias string
		if item.name(&alias, modelAlias, whatModelAlias) {
			m.Aliases, m.names = append(m.Aliases, alias), append(m.names, item)
		}
	}
}

func readSupportedParams(v value, m *modelEntry) {
	items, ok := v.items()
	if !ok {
		return
	}
	m.SupportedParams = []string{}
	for _, item := range items {
		var param string
		if item.name(&param, paramName, whatParamName) {
			m.SupportedParams = append(m.SupportedParams, param)
		}
	}
}

// modalities reads a list of what goes in or comes out of a model.
func (v value) modalities(into *[]string) {
	items, ok := v.items()
	if !ok {
		return
	}
	if len(items) == 0 {
		v.problemf("must not be empty: omit the key for [text]")
	}
	*into = nil
	for _, item := range items {
		var modality string
		item.choice(&modality, "text", "image", "audio", "video", "file", "embedding", "embeddings")
		*into = append(*into, modality)
	}
}

// readStrategy accepts the one strategy of the files of other gateways that means the same here.
func readStrategy(v value, _ *modelEntry) {
	var strategy string
	if v.text(&strategy) && strategy != StrategyFixed {
		v.warnf("has no effect: set the model's policy instead")
	}
}
