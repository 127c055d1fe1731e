package importer

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// params takes over litellm_params beside the address and the key.
func (r *liteLLM) params(e *route, params *yaml.Node, path string) {
	for p := range entries(params, path) {
		switch p.name {
		case "model", "api_base", "api_key", "custom_llm_provider", "api_version", "aws_region_name", "vertex_project", "vertex_location", "vertex_credentials", "drop_params", "additional_drop_params":
		case "weight":
			e.Weight = number(p.value)
		case "order":
			r.orders[e] = number(p.value)
		case "rpm", "tpm":
			if r.rates[e] == 0 || p.name == "rpm" {
				r.rates[e] = number(p.value)
			}
			if p.name == "rpm" {
				e.RPM = integer(p.value)
			} else {
				e.TPM = integer(p.value)
			}
		case "max_parallel_requests":
			e.MaxConcurrency = integer(p.value)
		case "timeout":
			if seconds := number(p.value); seconds > 0 {
				e.Timeout = fmt.Sprintf("%gs", seconds)
			}
		case "organization":
			r.header(e, "OpenAI-Organization", r.variable(text(p.value), "OpenAI's organization"))
		case "extra_headers", "headers":
			for h := range entries(p.value, p.path) {
				r.header(e, h.name, r.variable(text(h.value), "a header"))
			}
		case "extra_body":
			if p.value.Decode(&e.Body) != nil {
				r.notef(p.line, p.path, "is not a mapping")
			}
		case "aws_access_key_id", "aws_secret_access_key", "aws_session_token":
			e.APIKey = "${BEDROCK_API_KEY}"
			r.needs("BEDROCK_API_KEY", "ACCESS_KEY_ID:SECRET_ACCESS_KEY of the AWS account")
		default:
			if !r.price(&e.Pricing, p) {
				r.notef(p.line, p.path, "%s", unhandled(p.name))
			}
		}
	}
}

func unhandled(name string) string {
	switch name {
	case "temperature", "top_p", "max_tokens", "stop", "seed", "frequency_penalty", "presence_penalty", "reasoning_effort", "thinking":
		return "defaults of requests are not carried over; extra_body of the endpoint would override what clients send"
	case "stream_timeout":
		return "the wait for a stream's first content is STREAM_FIRST_BYTE_TIMEOUT_SECONDS of the node"
	case "num_retries", "max_retries":
		return "failed requests go on to the model's other endpoints; there is no setting for it"
	}
	return "has no equivalent"
}

func (r *liteLLM) header(e *route, name, value string) {
	if e.Headers == nil {
		e.Headers = map[string]string{}
	}
	e.Headers[name] = value
}

// share makes the first endpoint's prices the model's, which others may have, too.
func share(m *model, e *route) {
	switch {
	case len(m.Routes) == 1:
		m.Pricing, e.Pricing = e.Pricing, nil
	case e.Pricing != nil && m.Pricing != nil && *e.Pricing == *m.Pricing:
		e.Pricing = nil
	}
}

// price takes over a price. It reports whether the key is one.
func (r *liteLLM) price(into **prices, p entry) bool {
	if *into == nil {
		*into = new(prices)
	}
	cell := map[string]*string{
		"input_cost_per_token": &(*into).Prompt, "output_cost_per_token": &(*into).Completion, "output_cost_per_reasoning_token": &(*into).Reasoning,
		"cache_read_input_token_cost": &(*into).CacheRead, "cache_creation_input_token_cost": &(*into).CacheWrite,
		"input_cost_per_audio_token": &(*into).Audio, "input_cost_per_image": &(*into).Image, "input_cost_per_request": &(*into).Request,
	}[p.name]
	if cell != nil {
		scale := int64(1_000_000)
		if strings.HasSuffix(p.name, "image") || strings.HasSuffix(p.name, "request") {
			scale = 1
		}
		price, exact := scaled(text(p.value), scale)
		if *cell = price; !exact {
			r.notef(p.line, p.path, "%q is not a price, or has more than six decimals as USD per million tokens: written as %q", text(p.value), price)
		}
	}
	if **into == (prices{}) {
		*into = nil
	}
	return cell != nil
}

// info takes over model_info.
func (r *liteLLM) info(m *model, e *route, info *yaml.Node, path string) {
	for p := range entries(info, path) {
		yes := truth(p.value)
		switch p.name {
		case "mode", "id", "db_model", "litellm_provider":
		case "max_input_tokens":
			m.ContextLength = integer(p.value)
		case "max_output_tokens":
			m.MaxOutputLength = integer(p.value)
		case "max_tokens":
			if lookup(info, "max_output_tokens") == nil {
				m.MaxOutputLength = integer(p.value)
			}
		case "supports_function_calling":
			m.Tools = yes
		case "supports_response_schema":
			m.Structured = yes
		case "supports_vision":
			if !yes {
				m.InputModalities = slices.DeleteFunc(m.InputModalities, func(s string) bool { return s == "image" })
			}
		default:
			if !r.price(&e.Pricing, p) {
				r.notef(p.line, p.path, "has no equivalent")
			}
		}
	}
}
