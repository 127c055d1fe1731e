package gateway_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract validates what the gateway sends by OpenRouter's OpenAPI document,
// where that is at hand. Without it nothing is validated, and the tests say
// what they can without.
type contract struct {
	t        *testing.T
	compiler *jsonschema.Compiler
}

const document = "contract.json"

func openContract(t *testing.T) *contract {
	t.Helper()
	c := &contract{t: t}
	fixtures := os.Getenv("GATEWAY_FIXTURES")
	if fixtures == "" {
		return c
	}
	raw, err := os.ReadFile(filepath.Join(fixtures, "..", "spec", "openrouter-chat.openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c.compiler = jsonschema.NewCompiler()
	c.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := c.compiler.AddResource(document, doc); err != nil {
		t.Fatal(err)
	}
	if err := c.compiler.AddResource("ours.json", ours(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ours are the shapes that the document does not have, made of what it has.
func ours(t *testing.T) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(`{
  "percentiles": {"type": ["object", "null"], "required": ["p50", "p75", "p90", "p99"], "additionalProperties": {"type": "number"}},
  "share": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
  "endpoint": {
    "type": "object",
    "required": ["name", "model_id", "model_name", "context_length", "pricing", "provider_name", "tag", "quantization", "max_completion_tokens",
      "max_prompt_tokens", "supported_parameters", "supports_implicit_caching", "supports_tool_choice", "uptime_last_5m", "uptime_last_30m",
      "uptime_last_1d", "latency_last_30m", "throughput_last_30m"],
    "properties": {
      "name": {"type": "string"}, "model_id": {"type": "string"}, "model_name": {"type": "string"}, "context_length": {"type": "integer"},
      "pricing": {"$ref": "contract.json#/components/schemas/PublicPricing"}, "provider_name": {"type": "string"}, "tag": {"type": "string"},
      "quantization": {"$ref": "contract.json#/components/schemas/Quantization"}, "max_completion_tokens": {"type": ["integer", "null"]},
      "max_prompt_tokens": {"type": ["integer", "null"]},
      "supported_parameters": {"type": "array", "items": {"$ref": "contract.json#/components/schemas/Parameter"}},
      "supports_implicit_caching": {"type": "boolean"},
      "supports_tool_choice": {"type": "object", "required": ["auto", "none", "required", "function"], "additionalProperties": {"type": "boolean"}},
      "uptime_last_5m": {"$ref": "#/share"}, "uptime_last_30m": {"$ref": "#/share"}, "uptime_last_1d": {"$ref": "#/share"},
      "latency_last_30m": {"$ref": "#/percentiles"}, "throughput_last_30m": {"$ref": "#/percentiles"}, "status": {"enum": [0, -1, -2, -3, -5, -10]}
    }
  },
  "endpoints": {
    "type": "object", "required": ["data"],
    "properties": {"data": {
      "type": "object", "required": ["id", "name", "created", "description", "architecture", "endpoints"],
      "properties": {
        "id": {"type": "string"}, "name": {"type": "string"}, "created": {"type": "integer"}, "description": {"type": "string"},
        "architecture": {"allOf": [{"$ref": "contract.json#/components/schemas/ModelArchitecture"}], "required": ["tokenizer", "instruct_type"]},
        "endpoints": {"type": "array", "items": {"$ref": "#/endpoint"}}
      }
    }}
  },
  "model": {"type": "object", "required": ["data"], "properties": {"data": {"$ref": "contract.json#/components/schemas/Model"}}},
  "sdkKey": {"type": "object", "properties": {"data": {
    "type": "object", "required": ["organization_id", "workspace_id", "allowed_data_regions", "free_model_daily_requests"],
    "properties": {"free_model_daily_requests": {"required": ["limit", "remaining", "used"], "additionalProperties": {"type": "integer"}}}
  }}}
}`))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// holds validates a body by a component of the document ("ChatResult"), one of
// ours ("ours.json#/endpoints") or a pointer into the document ("#/paths/...").
func (c *contract) holds(name, body string) {
	c.t.Helper()
	if c.compiler == nil {
		return
	}
	at := name
	if !strings.Contains(name, "#") {
		at = document + "#/components/schemas/" + name
	} else if strings.HasPrefix(name, "#") {
		at = document + name
	}
	schema, err := c.compiler.Compile(at)
	if err != nil {
		c.t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		c.t.Errorf("%v: %s", err, body)
		return
	}
	if err := schema.Validate(value); err != nil {
		c.t.Errorf("not a %s: %v\n%s", name, err, body)
	}
}

// stream validates every chunk of a stream.
func (c *contract) stream(body string) {
	c.t.Helper()
	for _, data := range dataLines(c.t, body) {
		if data != "[DONE]" {
			c.holds("ChatStreamChunk", data)
		}
	}
}
