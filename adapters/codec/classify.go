package codec

import (
	"strings"

	"github.com/hybridinference/gateway/shared/fault"
)

// Classify makes a fault of an answer's status and its error body. A status of
// 0 is an error inside a 200: then only the body says.
func Classify(status int, r Report) *fault.Error {
	effective := status
	if status == 0 || status == 200 {
		effective = r.Status
	}
	kind, known := byText(effective, r)
	if !known {
		kind = byStatus(effective)
	}
	return r.As(kind, status)
}

// As makes a fault of a class that the caller knows better, from the
// provider's own codes. Status is the answer's.
func (r Report) As(kind fault.Kind, status int) *fault.Error {
	f := &fault.Error{Kind: kind, Status: status, Code: r.Code, Raw: Scrub(r.Raw), RetryAfter: r.RetryAfter, Message: message(kind, r)}
	if f.Code == "" && IsCode(r.Type) {
		f.Code = r.Type
	}
	return f
}

// byText finds the classes that providers hide behind a wrong or vague status.
func byText(status int, r Report) (fault.Kind, bool) {
	word := strings.ToLower(r.Type + " " + r.Code)
	msg := strings.ToLower(r.Message + " " + r.Cause)
	switch {
	case contains(word, "context_length_exceeded", "model_context_window_exceeded") || contextLength(msg):
		return fault.ContextLength, true
	case contains(word, "api_key_invalid", "invalid_api_key", "authentication", "authorized_error"):
		return fault.Authentication, true
	case contains(word, "insufficient_quota", "billing", "payment") || contains(msg, "insufficient balance", "credit balance is too low", "insufficient credits"):
		return fault.Payment, true
	case contains(word, "content_policy", "content_filter", "moderation"):
		return fault.ContentFilter, true
	case contains(word, "overloaded", "unavailable", "capacity"):
		return fault.Overloaded, true
	case contains(word, "rate_limit", "resource_exhausted"):
		return fault.RateLimit, true
	}
	if status >= 400 && status != 500 {
		return 0, false
	}
	switch { // without a telling status the type has to do
	case contains(word, "permission"):
		return fault.Permission, true
	case contains(word, "not_found", "notfound"):
		return fault.NotFound, true
	case contains(word, "timeout", "deadline_exceeded"):
		return fault.Timeout, true
	case contains(word, "invalid_request", "badrequest", "invalid_argument", "invalid_prompt"):
		return fault.InvalidRequest, true
	}
	return 0, false
}

// contextLength recognises what the providers say of prompts that are too long.
func contextLength(msg string) bool {
	return contains(msg, "maximum context length", "prompt is too long", "prompt too long", "context length is only", "exceeds the maximum number of tokens",
		"exceeded max context length", "maximum input length", "input is too long", "longer than the model's context length",
		"context window exceeds limit", "prompt exceeds max length")
}

func contains(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func byStatus(status int) fault.Kind {
	switch status {
	case 400, 409, 411, 412, 413, 414, 415, 416, 422, 431:
		return fault.InvalidRequest
	case 401:
		return fault.Authentication
	case 402:
		return fault.Payment
	case 403:
		return fault.Permission
	case 404, 405, 410:
		return fault.NotFound
	case 408, 504, 524:
		return fault.Timeout
	case 425, 429:
		return fault.RateLimit
	case 503, 529:
		return fault.Overloaded
	}
	return fault.Unavailable
}

// relayed is all that OpenRouter itself says of an error of the provider behind it.
const relayed = "Provider returned error"

// message decides what a client may read. What concerns the operator's account
// is not the client's to know.
func message(kind fault.Kind, r Report) string {
	switch kind {
	case fault.Authentication, fault.Permission, fault.Payment:
		return "The upstream refused the gateway's credentials or account"
	case fault.NotFound:
		return "The upstream does not know this model"
	default:
	}
	text := Scrub(r.Message)
	if cause := Scrub(r.Cause); cause != "" && (text == "" || strings.EqualFold(text, relayed)) {
		text = cause
	}
	if text != "" {
		return text
	}
	switch kind {
	case fault.RateLimit:
		return "The upstream's rate limit is reached"
	case fault.Overloaded:
		return "The upstream is overloaded"
	case fault.Timeout:
		return "The upstream did not answer in time"
	case fault.InvalidRequest:
		return "The upstream refused the request"
	default:
		return "The upstream failed"
	}
}
