// Package problem alone turns faults into what clients see: a status, a body
// in OpenRouter's envelope, a Retry-After.
package problem

import (
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Problem is an error as the client sees it.
type Problem struct {
	Status int
	// Type is metadata.error_type.
	Type    string
	Message string
	// Provider, Code and Raw describe the upstream that failed.
	Provider, Code, Raw string
	RequestID           string
	RetryAfter          time.Duration
	// Previous are the attempts before the one that failed last.
	Previous []Attempt
	// Requested and Available are providers: those that the client would have
	// and those that there are.
	Requested, Available []string
	// Limit is the limit of the gateway's own that refused the request.
	Limit *Limit
	// Routing is the raw openrouter_metadata for clients that asked for it.
	Routing []byte
}

// Attempt is a failed attempt at another endpoint.
type Attempt struct {
	Provider, Code string
	// Status is the upstream's, 0 if no answer came.
	Status int
}

// Limit names a limit and who holds it.
type Limit struct {
	// Name is the limit's, such as "rpm"; Value and Left are in its unit.
	Name        string
	Value, Left string
	// Holder is key, user, team or gateway, ID that holder's.
	Holder, ID string
	// Reset is when the limit may have room again, the zero time if that is not known.
	Reset time.Time
}

func (l *Limit) append(dst []byte) []byte {
	if l == nil {
		return dst
	}
	for _, m := range [...]struct{ key, value string }{
		{`,"limit":{"name":`, l.Name}, {`,"holder":`, l.Holder}, {`,"id":`, l.ID}, {`,"value":`, l.Value}, {`,"remaining":`, l.Left},
	} {
		dst = rawjson.AppendString(append(dst, m.key...), m.value)
	}
	if !l.Reset.IsZero() {
		dst = strconv.AppendInt(append(dst, `,"reset_ms":`...), l.Reset.UnixMilli(), 10)
	}
	return append(dst, '}')
}

// New returns a problem of the gateway's own.
func New(status int, kind, message string) *Problem {
	return &Problem{Status: status, Type: kind, Message: message}
}

// Of turns a fault into a problem. What an upstream says of the gateway's
// credentials or of a model that it should know is the operator's
// fault, a 502 to the client, never a 401 or 404.
func Of(f *fault.Error, provider string) *Problem {
	p := &Problem{Message: f.Message, Provider: provider, Code: f.Code, Raw: f.Raw, RetryAfter: f.RetryAfter}
	switch f.Kind {
	case fault.InvalidRequest:
		p.Status, p.Type = 400, "invalid_request"
		switch f.Status {
		case 413:
			p.Status, p.Type = 413, "payload_too_large"
		case 422:
			p.Status, p.Type = 422, "unprocessable"
		}
	case fault.ContextLength:
		p.Status, p.Type = 400, "context_length_exceeded"
	case fault.ContentFilter:
		p.Status, p.Type = 400, "content_policy_violation"
	case fault.RateLimit:
		p.Status, p.Type = 429, "rate_limit_exceeded"
	case fault.Overloaded:
		p.Status, p.Type = 503, "provider_overloaded"
		if f.Status == 529 {
			p.Status = 529
		}
	case fault.Timeout:
		p.Status, p.Type = 524, "timeout" // OpenRouter's SDKs know no 504 on chat
	case fault.Canceled:
		p.Status, p.Type = 499, "unmapped"
	case fault.Unavailable, fault.NotFound, fault.Authentication, fault.Permission, fault.Payment:
		p.Status, p.Type = 502, "provider_unavailable"
	case fault.Internal:
		p.Status, p.Type, p.Message, p.Code, p.Raw = 500, "server", "Internal server error", "", ""
	}
	return p
}

// Append appends {"error":{...}}.
func (p *Problem) Append(dst []byte) []byte {
	dst = p.AppendMember(append(dst, '{'))
	if p.Routing != nil {
		dst = append(append(dst, `,"openrouter_metadata":`...), p.Routing...)
	}
	return append(dst, '}')
}

// AppendMember appends the member "error":{...}.
func (p *Problem) AppendMember(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `"error":{"code":`...), int64(p.Status), 10)
	dst = rawjson.AppendString(append(dst, `,"message":`...), p.Message)
	dst = rawjson.AppendString(append(dst, `,"metadata":{"error_type":`...), p.Type)
	for _, m := range [...]struct{ key, value string }{
		{"provider_name", p.Provider}, {"provider_code", p.Code}, {"raw", p.Raw}, {"request_id", p.RequestID},
	} {
		if m.value != "" {
			dst = append(append(append(dst, ',', '"'), m.key...), '"', ':')
			dst = rawjson.AppendString(dst, m.value)
		}
	}
	dst = appendStrings(dst, `,"requested_providers":[`, p.Requested)
	dst = appendStrings(dst, `,"available_providers":[`, p.Available)
	dst = p.Limit.append(dst)
	return append(appendPrevious(dst, p.Previous), '}', '}')
}

func appendStrings(dst []byte, key string, list []string) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, key...)
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = rawjson.AppendString(dst, s)
	}
	return append(dst, ']')
}

func appendPrevious(dst []byte, list []Attempt) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, `,"previous_errors":[`...)
	for i, a := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = rawjson.AppendString(append(dst, `{"provider":`...), a.Provider)
		dst = rawjson.AppendString(append(dst, `,"code":`...), a.Code)
		dst = strconv.AppendInt(append(dst, `,"status":`...), int64(a.Status), 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// Seconds returns Retry-After in seconds, rounded up; 0 for none.
func (p *Problem) Seconds() int {
	return int((p.RetryAfter + time.Second - 1) / time.Second)
}
