// Package importer turns the files of other gateways into a models.yaml, and
// lists line by line what it could not carry over.
//
// Secrets never leave a file: where one stands in it, models.yaml names a
// variable, and the result says which variables to set.
package importer

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/controlplane/config"
)

// Result is what a file became.
type Result struct {
	// Models is the text of a models.yaml that config.Parse accepts.
	Models []byte
	// Count is how many models it has, Endpoints how many endpoints.
	Count, Endpoints int
	// Variables are the environment variables to set, in the order of the file.
	Variables []Variable
	// Commands carry over what is not configuration here, such as budgets.
	Commands []string
	// Notes are what was not carried over, in the order of lines.
	Notes []Note
}

// Variable is an environment variable that the result needs.
type Variable struct {
	Name string `json:"name"`
	// About says what it is for, or where its value stands now.
	About string `json:"about"`
}

// Note is something that was not carried over, or not as it was.
type Note struct {
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

// catalog is a models.yaml that is written.
type catalog struct {
	DefaultModel string   `yaml:"default_model,omitempty"`
	Models       []*model `yaml:"models"`
}

type model struct {
	ID               string   `yaml:"id"`
	Name             string   `yaml:"name,omitempty"`
	Description      string   `yaml:"description,omitempty"`
	HuggingFaceID    string   `yaml:"hugging_face_id,omitempty"`
	Provider         string   `yaml:"provider,omitempty"`
	Type             string   `yaml:"type,omitempty"`
	Aliases          []string `yaml:"aliases,omitempty,flow"`
	ContextLength    int      `yaml:"context_length,omitempty"`
	MaxOutputLength  int      `yaml:"max_output_length,omitempty"`
	InputModalities  []string `yaml:"input_modalities,omitempty,flow"`
	OutputModalities []string `yaml:"output_modalities,omitempty,flow"`
	Tools            bool     `yaml:"supports_tools,omitempty"`
	Structured       bool     `yaml:"supports_structured_output,omitempty"`
	Params           []string `yaml:"supported_params,omitempty,flow"`
	Policy           string   `yaml:"policy,omitempty"`
	Pricing          *prices  `yaml:"pricing,omitempty,flow"`
	Routes           []*route `yaml:"route,omitempty"`
}

type route struct {
	ID              string            `yaml:"id,omitempty"`
	Kind            string            `yaml:"kind"`
	Weight          float64           `yaml:"weight,omitempty"`
	Priority        int               `yaml:"priority,omitempty"`
	BaseURL         string            `yaml:"base_url,omitempty"`
	Region          string            `yaml:"region,omitempty"`
	APIVersion      string            `yaml:"api_version,omitempty"`
	APIKey          string            `yaml:"api_key,omitempty"`
	ProviderModelID string            `yaml:"provider_model_id,omitempty"`
	Timeout         string            `yaml:"timeout,omitempty"`
	MaxConcurrency  int               `yaml:"max_concurrency,omitempty"`
	RPM             int               `yaml:"rpm,omitempty"`
	TPM             int               `yaml:"tpm,omitempty"`
	Headers         map[string]string `yaml:"extra_headers,omitempty"`
	Body            map[string]any    `yaml:"extra_body,omitempty"`
	Pricing         *prices           `yaml:"pricing,omitempty,flow"`
}

// prices are USD per million tokens, for each image or request: exact decimals.
type prices struct {
	Prompt     string `yaml:"prompt,omitempty"`
	Completion string `yaml:"completion,omitempty"`
	Reasoning  string `yaml:"reasoning,omitempty"`
	CacheRead  string `yaml:"input_cache_reads,omitempty"`
	CacheWrite string `yaml:"input_cache_writes,omitempty"`
	Audio      string `yaml:"input_audio,omitempty"`
	Image      string `yaml:"image,omitempty"`
	Request    string `yaml:"request,omitempty"`
	WebSearch  string `yaml:"web_search,omitempty"`
}

// finish writes the catalog and reads it as the control plane would. An error is
// a fault of this package, not of the file.
func (r *Result) finish(c *catalog, header string) error {
	if len(c.Models) == 0 {
		return errors.New("no model in it can be carried over")
	}
	var b bytes.Buffer
	b.WriteString(header)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(c), e.Close()); err != nil {
		return err
	}
	r.Models = b.Bytes()
	if _, _, err := config.Parse(config.Source{Name: "models.yaml", Text: r.Models}, config.Source{}, func(name string) (string, bool) {
		return "http://" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".invalid", true
	}); err != nil {
		return fmt.Errorf("what became of it is not valid: %w", err)
	}
	r.Count, r.Commands, r.Notes = len(c.Models), append([]string{}, r.Commands...), append([]Note{}, r.Notes...) // lists in JSON, not null
	for _, m := range c.Models {
		r.Endpoints += max(1, len(m.Routes))
	}
	slices.SortStableFunc(r.Notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
	return nil
}

func (r *Result) notef(line int, key, format string, args ...any) {
	r.Notes = append(r.Notes, Note{line, key, fmt.Sprintf(format, args...)})
}

// needs adds a variable, once.
func (r *Result) needs(name, about string) {
	if !slices.ContainsFunc(r.Variables, func(v Variable) bool { return v.Name == name }) {
		r.Variables = append(r.Variables, Variable{name, about})
	}
}
