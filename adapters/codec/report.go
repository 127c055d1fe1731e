package codec

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Report is what an error body says, whatever its shape.
type Report struct {
	// Message is the provider's human text, "" if the body was not JSON.
	Message string
	// Cause is the text of a provider behind this one, "" if there is none.
	Cause string
	// Type and Code are the provider's words for the class of the error; Code
	// may be a number in text form.
	Type, Code string
	// Status is the HTTP status that the body names, 0 if none.
	Status int
	// RetryAfter is a delay that the body names.
	RetryAfter time.Duration
	// Raw is the beginning of the body.
	Raw string
}

// maxWait bounds the seconds of a retry_after that is believed.
const maxWait = 1 << 20

// maxRaw bounds how much of an error body is kept.
const maxRaw = 2000

// ReadReport reads an error body in any of the shapes that providers use: an
// error object or string, flat members, FastAPI's detail, MiniMax's base_resp,
// Google's array around an object, or something that is not JSON at all.
func ReadReport(body []byte) Report {
	body = bytes.TrimSpace(body)
	r := Report{Raw: string(body[:min(len(body), maxRaw)])}
	if rawjson.Valid(body) != nil {
		return r
	}
	r.read(body, 0)
	return r
}

// read takes in one level; nested errors are followed a few levels deep.
func (r *Report) read(raw []byte, depth int) {
	const deepest = 4
	if depth > deepest || rawjson.IsNull(raw) {
		return
	}
	switch raw[0] {
	case '"':
		r.setMessage(raw)
	case '[':
		var c rawjson.Cursor
		c.Reset(raw)
		if c.Array() && c.Elem() {
			r.read(c.Raw(), depth+1)
		}
	case '{':
		var c rawjson.Cursor
		c.Reset(raw)
		c.Object()
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			r.member(string(key), c.Raw(), depth)
		}
	}
}

func (r *Report) member(key string, val []byte, depth int) {
	switch key {
	case "error", "Error", "detail", "base_resp", "metadata", "availability":
		r.read(val, depth+1)
	case "raw":
		r.cause(val)
	case "reasons", "flagged_input":
		if !rawjson.IsNull(val) {
			r.Type = "moderation" // OpenRouter's refusals name no type
		}
	case "retry_after":
		if s, ok := rawjson.Float(val); ok && s > 0 && s < maxWait {
			r.RetryAfter = time.Duration(s * float64(time.Second))
		}
	case "message", "msg", "status_msg", "error_description":
		if val[0] == '{' || val[0] == '[' { // Mistral's, around a list
			r.read(val, depth+1)
		}
		r.setMessage(val)
	case "type", "error_type":
		if s := rawjson.Text(val); s != "" && s != "error" {
			r.Type = s
		}
	case "code", "Code", "status_code", "provider_code", "http_code":
		r.setCode(val)
	case "status":
		if s := rawjson.Text(val); s != "" && r.Type == "" {
			r.Type = s // Google's RESOURCE_EXHAUSTED and the like
		}
	case "details":
		r.details(val)
	}
}

func (r *Report) setMessage(val []byte) {
	if s := rawjson.Text(val); s != "" && r.Message == "" {
		r.Message = s
	}
}

func (r *Report) setCode(val []byte) {
	if rawjson.IsNull(val) {
		return
	}
	text := string(val)
	if val[0] == '"' {
		text = rawjson.Text(val)
	}
	if !IsCode(text) { // an object, a sentence
		return
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 400 && n <= 599 {
		r.Status = n
		return
	}
	if r.Code == "" {
		r.Code = text
	}
}

// cause reads the error body of a provider behind this one, given as text.
func (r *Report) cause(val []byte) {
	text := rawjson.Text(val)
	inner := ReadReport([]byte(text))
	if r.Cause = inner.Message; r.Cause == "" && inner.Type == "" && !strings.HasPrefix(text, "<") {
		r.Cause = text
	}
	if r.Code == "" {
		r.Code = inner.Code
	}
}

// details reads Google's list: a reason, and how long to wait.
func (r *Report) details(raw []byte) {
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		item := c.Raw()
		if reason := rawjson.Text(chat.Member(item, "reason")); reason != "" && IsCode(reason) {
			r.Code = reason
		}
		if d, err := time.ParseDuration(rawjson.Text(chat.Member(item, "retryDelay"))); err == nil && d > 0 {
			r.RetryAfter = d
		}
	}
}
