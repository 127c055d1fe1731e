package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/wire"
)

// schema is a JSON schema, or a part of one.
type schema = map[string]any

// variable is what every scalar may be instead: text with ${NAME} in it.
var variable = schema{"type": "string", "pattern": `\$\{`}

func either(all ...schema) schema { return schema{"anyOf": all} }

func plainText() schema { return schema{"type": "string"} }
func truth() schema {
	return either(schema{"type": "boolean"}, variable, schema{"type": "string", "pattern": "^([Yy]es|[Nn]o|[Oo]n|[Oo]ff|YES|NO|ON|OFF)$"})
}

func listOf(one schema) schema {
	return schema{"type": "array", "items": one, "minItems": 1}
}

func words(list ...string) schema { return either(schema{"enum": list}, variable) }

func amount(low, high float64) schema {
	return either(schema{"type": "number", "minimum": low, "maximum": high}, variable, schema{"type": "string", "pattern": `^[+]?[0-9._]+([eE][+-]?\d+)?$`})
}

func seconds() schema {
	return either(schema{"type": "number", "minimum": 0}, schema{"type": "string", "pattern": `^[0-9.]+(ms|s|m|h)?([0-9]+(ms|s|m))*$|\$\{`})
}

func aPrice() schema {
	return either(schema{"type": "number", "minimum": 0}, schema{"type": "string", "pattern": `^\d*\.?\d*$|\$\{`}, schema{"type": "null"})
}

// object is a mapping of known keys. It must have those of the reader's table:
// the schema is held to the code by that.
func object[T any](t *testing.T, name string, table []key[T], keys map[string]schema, required ...string) schema {
	t.Helper()
	properties := schema{}
	for _, k := range table {
		one, known := keys[k.name]
		switch {
		case k.read == nil:
			one = schema{"deprecated": true, "description": "has no effect: " + ignoredKeys()[k.name]}
		case !known:
			t.Errorf("%s: the schema lacks %s, which the reader knows", name, k.name)
		default:
			one = schema{"anyOf": []any{one, schema{"type": "null"}}}
			if text := described(name, k.name); text != "" {
				one["description"] = text
			}
		}
		properties[k.name] = one
		delete(keys, k.name)
	}
	if len(keys) > 0 {
		t.Errorf("%s: the reader does not know %v", name, slices.Sorted(maps.Keys(keys)))
	}
	out := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

var (
	documentation = sync.OnceValue(func() string {
		text, err := os.ReadFile("../../config/README.md")
		if err != nil {
			panic(err)
		}
		return string(text)
	})
	markup = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// described returns the last cell of a key's row in the section of the reference.
func described(section, name string) string {
	_, text, _ := strings.Cut(documentation(), "# "+section+"\n")
	if end := regexp.MustCompile(`(?m)^##+ `).FindStringIndex(text); end != nil {
		text = text[:end[0]]
	}
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) > 2 && strings.Contains(cells[0], "`"+name+"`") {
			return strings.TrimSpace(markup.ReplaceAllString(cells[len(cells)-1], "$1"))
		}
	}
	return ""
}

func modelsSchema(t *testing.T) schema {
	t.Helper()
	prices := map[string]schema{}
	for _, name := range priceNames() {
		prices[name] = aPrice()
	}
	overrides := maps.Clone(prices)
	moment := schema{"type": []string{"string", "null"}}
	maps.Copy(overrides, map[string]schema{"from": moment, "until": moment, "min_prompt_tokens": amount(1, 1<<31-1), "service_tier": plainText(), "multiplier": aPrice()})
	priced := maps.Clone(prices)
	maps.Copy(priced, map[string]schema{"cost": words("list", "upstream"), "overrides": {"type": "array", "items": object(t, "Pricing", overrideKeys(), overrides)}})
	pricing := object(t, "Pricing", pricingKeys(), priced)
	traitWords := map[string]schema{"efforts": listOf(words(traits.Efforts()...))}
	for _, c := range traits.Cells() {
		traitWords[c.Name] = words(c.Words...)
	}
	var kinds []string
	for _, p := range adapters.Providers() {
		kinds = append(kinds, p.Kind)
	}
	kind := either(schema{"enum": kinds}, schema{"type": "string", "pattern": `^openrouter\[|\$\{`})
	secret := schema{"type": "string", "pattern": `^$|\$\{`, "description": "a reference to a variable of the nodes, such as ${DEEPSEEK_API_KEY}"}
	shared := map[string]schema{
		"base_url": plainText(), "api_key": secret, "api_keys": listOf(either(secret, schema{"type": "null"})), "provider_model_id": plainText(), "region": plainText(), "pricing": pricing, "traits": object(t, "Traits", traitKeys(), traitWords),
	}
	mapping := schema{"type": "object"}
	route := maps.Clone(shared)
	limit := either(schema{"type": "integer", "minimum": 0}, schema{"type": "string", "pattern": `^[0-9_.]+[kKmMgG]?$|\$\{`})
	maps.Copy(route, map[string]schema{
		"kind": kind, "id": plainText(), "weight": amount(0, 1e12), "shadow": {"type": "string", "pattern": `^[0-9.]+ ?%$|\$\{`}, "processor": words("default", "glm", "qwen_coder", "think_block", "think_open"), "extra_body": mapping, "extra_headers": mapping,
		"timeout": seconds(), "max_concurrency": amount(0, 1_000_000), "priority": amount(0, maxPriority), "rpm": limit, "tpm": limit, "api_version": plainText(), "optional": truth(), "responses": truth(), "zdr": truth(), "data_collection": words("allow", "deny"),
	})
	model := maps.Clone(shared)
	modalities := listOf(words("text", "image", "audio", "video", "file", "embedding", "embeddings"))
	texts := schema{"type": "array", "items": schema{"type": "string"}}
	tokens := amount(0, 1<<31-1)
	maps.Copy(model, map[string]schema{
		"id": plainText(), "name": plainText(), "description": plainText(), "hugging_face_id": plainText(), "provider": plainText(), "type": words("chat", "embedding"), "model_type": words("chat", "embedding"),
		"aliases": texts, "context_length": tokens, "max_output_length": tokens, "input_modalities": modalities, "output_modalities": modalities, "quantization": plainText(),
		"supports_tools": truth(), "supports_structured_output": truth(), "supported_params": texts, "required_role": words("free", "pro", "internal", "admin"), "admin_only": truth(),
		"route": listOf(object(t, "Route", routeKeys(), route)), "policy": words(wire.Policies()...), "affinity": words(wire.Affinities()...), "routing_strategy": plainText(),
		"hedge": object(t, "Hedge", hedgeKeys(), map[string]schema{
			"after": either(words("p95"), seconds()), "budget": {"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? ?%$|\$\{`},
		}),
		"queue": object(t, "Queue", queueKeys(), map[string]schema{"size": amount(1, 10_000), "wait": seconds()}),
	})
	return object(t, "Top level", catalogKeys(), map[string]schema{"default_model": plainText(), "models": listOf(object(t, "Model", modelKeys(), model, "id"))}, "models")
}

func routingSchema(t *testing.T) schema {
	t.Helper()
	health := either(seconds(), schema{"type": "object", "required": []string{"interval"}, "additionalProperties": false, "properties": schema{
		"interval": seconds(), "path": plainText(), "metrics": plainText(), "statuses": listOf(amount(100, 599)),
	}})
	deployments := schema{"type": "array", "items": object(t, "routing.yaml", deploymentKeys(), map[string]schema{"endpoint": plainText(), "models": listOf(plainText())}, "models", "endpoint")}
	table := slices.Concat(routingKeys(), ignored[Routing]("logging"))
	return object(t, "routing.yaml", table, map[string]schema{
		"routing_strategy": plainText(), "default_router": plainText(), "timeout": seconds(), "health_check": health, "local_deployment": deployments, "remote_deployment": deployments,
		"routing_parameter": object(t, "routing.yaml", routingParameterKeys(), map[string]schema{"local_fraction": amount(0, 1)}),
	})
}

// TestSchemas holds config/*.schema.json, which editors use, to the readers and
// to every file of the tests: what is valid there, the schema takes, and keys
// that no reader knows it refuses.
func TestSchemas(t *testing.T) {
	files := map[string][]string{
		"models":  {"../../config/models.yaml", "testdata/models/*.yaml", "../cli/testdata/whole.yaml"},
		"routing": {"../../config/routing.yaml", "testdata/routing/*.yaml"},
	}
	for name, build := range map[string]func(*testing.T) schema{"models": modelsSchema, "routing": routingSchema} {
		s := build(t)
		s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
		s["title"] = name + ".yaml of the gateway"
		if name == "routing" {
			s["type"] = []string{"object", "null"} // an empty file has the defaults
		}
		s["patternProperties"] = schema{"^x-": schema{}} // a place for anchors
		text, err := json.MarshalIndent(s, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, '\n')
		path := "../../config/" + name + ".schema.json"
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(path, text, 0o644); err != nil { //nolint:gosec // it is for all to read
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, text) {
			t.Errorf("%s is not what the readers take (-update writes it): %v", path, err)
		}
		compiled := compileSchema(t, text)
		checked := 0
		for _, pattern := range files[name] {
			found, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range found {
				if outcome, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".golden"); err == nil && bytes.HasPrefix(outcome, []byte("problems")) {
					continue
				}
				checked++
				if err := compiled.Validate(document(t, file)); err != nil {
					t.Errorf("%s is valid, and the schema says %v", file, err)
				}
			}
		}
		if checked < 3 {
			t.Errorf("%s: only %d files", name, checked)
		}
		for _, bad := range []any{[]any{}, schema{"zzz": 1}, schema{"health_check": "often"}, schema{"models": []any{schema{"id": "x", "contxt_length": 1}}}, schema{"models": []any{schema{"id": "x", "route": []any{schema{"weight": -1}}}}}} {
			if compiled.Validate(bad) == nil {
				t.Errorf("%s: %v is valid", name, bad)
			}
		}
	}
}

func compileSchema(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("file:///schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document reads YAML as JSON's types.
func document(t *testing.T, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	encoded, err := json.Marshal(doc)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded)); err != nil {
		t.Fatal(err)
	}
	return doc
}
