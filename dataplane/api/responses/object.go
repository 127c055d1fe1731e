package responses

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// state is what a response object says of the answer itself.
type state struct {
	// status is in_progress, completed, incomplete or failed.
	status string
	// reason is why it is incomplete.
	reason string
	// failed is why it failed.
	failed *problem.Problem
	// items are the finished items.
	items []byte
	// total is nil as long as the usage is not known. finished is when the
	// answer ended, in seconds since 1970.
	total    *api.Total
	finished int64
}

// appendObject appends the response object: the answer, and what the request
// asked for, since the SDKs' types insist on it.
func (r *request) appendObject(dst []byte, h *api.Head, s *state) []byte {
	dst = rawjson.AppendString(append(dst, `{"id":`...), h.ID)
	dst = strconv.AppendInt(append(dst, `,"object":"response","created_at":`...), h.Created, 10)
	dst = append(append(append(dst, `,"status":"`...), s.status...), `","completed_at":`...)
	if s.status == completed {
		dst = strconv.AppendInt(dst, s.finished, 10)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, `,"background":false,"error":`...)
	dst = appendError(dst, s.failed)
	dst = append(dst, `,"incomplete_details":`...)
	if s.reason != "" {
		dst = append(append(append(dst, `{"reason":"`...), s.reason...), `"}`...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = rawjson.AppendString(append(dst, `,"model":`...), h.Model)
	dst = rawjson.AppendString(append(dst, `,"provider":`...), h.Provider)
	dst = append(append(append(dst, `,"output":[`...), s.items...), ']')
	dst = r.appendEcho(dst)
	if s.failed != nil {
		dst = rawjson.AppendString(append(dst, `,"error_type":`...), s.failed.Type)
	}
	dst = append(dst, `,"usage":`...)
	if s.total == nil {
		return append(dst, `null}`...)
	}
	dst = appendUsage(dst, s.total)
	if s.total.Routing != nil {
		dst = append(append(dst, `,"openrouter_metadata":`...), s.total.Routing...)
	}
	return append(dst, '}')
}

// appendEcho appends the request's members with their defaults.
func (r *request) appendEcho(dst []byte) []byte {
	for _, e := range echoes() {
		dst = append(append(append(dst, `,"`...), e.name...), `":`...)
		if val := r.members[e.name]; val != nil {
			dst = append(dst, val...)
		} else {
			dst = append(dst, e.otherwise...)
		}
	}
	dst = append(dst, `,"previous_response_id":null,"store":false,"tools":[`...)
	first := true
	for object := range rawjson.Elements(r.members["tools"]) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendTool(dst, object)
	}
	return append(dst, ']')
}

// echo is a member of the request that the response repeats.
type echo struct{ name, otherwise string }

func echoes() [19]echo {
	return [...]echo{
		{"instructions", "null"},
		{"max_output_tokens", "null"},
		{"max_tool_calls", "null"},
		{"metadata", "{}"},
		{"parallel_tool_calls", "true"},
		{"prompt_cache_key", "null"},
		{"reasoning", `{"effort":null,"summary":null}`},
		{"safety_identifier", "null"},
		{"service_tier", `"default"`},
		{"temperature", "1.0"},
		{"text", `{"format":{"type":"text"}}`},
		{"tool_choice", `"auto"`},
		{"top_logprobs", "0"},
		{"top_p", "1.0"},
		{"presence_penalty", "0"},
		{"frequency_penalty", "0"},
		{"truncation", `"disabled"`},
		{"user", "null"},
		{"prompt", "null"},
	}
}

// appendTool repeats a tool. A function has all members that OpenAI's has.
func appendTool(dst, object []byte) []byte {
	if kindOf(object) != "function" {
		return append(dst, object...)
	}
	dst = append(dst, object[:len(object)-1]...)
	for _, e := range []echo{{"description", "null"}, {"parameters", "null"}, {"strict", "false"}} {
		if chat.Member(object, e.name) == nil {
			dst = append(append(append(append(dst, `,"`...), e.name...), `":`...), e.otherwise...)
		}
	}
	return append(dst, '}')
}

// appendUsage appends the usage with its price.
func appendUsage(dst []byte, t *api.Total) []byte {
	num := func(key string, n int64) { dst = strconv.AppendInt(append(dst, key...), n, 10) }
	num(`{"input_tokens":`, t.Prompt)
	num(`,"input_tokens_details":{"cached_tokens":`, t.CacheRead)
	num(`,"cache_write_tokens":`, t.CacheWrite)
	num(`},"output_tokens":`, t.Completion)
	num(`,"output_tokens_details":{"reasoning_tokens":`, t.Reasoning)
	num(`},"total_tokens":`, t.Prompt+t.Completion)
	dst = strconv.AppendBool(append(dst, `,"is_byok":`...), t.BYOK)
	if t.Cost == "" { // unknown
		return append(dst, '}')
	}
	dst = append(append(dst, `,"cost":`...), t.Cost...)
	dst = append(append(dst, `,"cost_details":{"upstream_inference_cost":`...), t.Cost...)
	dst = append(append(dst, `,"upstream_inference_input_cost":`...), t.PromptCost...)
	dst = append(append(dst, `,"upstream_inference_output_cost":`...), t.CompletionCost...)
	return append(dst, '}', '}')
}

// appendError appends the error object of a response that failed.
func appendError(dst []byte, p *problem.Problem) []byte {
	if p == nil {
		return append(dst, "null"...)
	}
	dst = append(append(append(dst, `{"code":"`...), errorCode(p)...), `","message":`...)
	return append(rawjson.AppendString(dst, p.Message), '}')
}

// errorCode is one of the few words that SDKs know.
func errorCode(p *problem.Problem) string {
	switch {
	case p.Status == 429:
		return "rate_limit_exceeded"
	case p.Status >= 400 && p.Status < 500:
		return "invalid_prompt"
	}
	return "server_error"
}
