package gemini

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Fault implements codec.Adapter.
func (a *Adapter) Fault(status int, body []byte) *fault.Error { return faultOf(status, body) }

// faultOf classifies an error body. Two classes hide behind statuses of other
// things: a spent daily quota behind 429, which no short wait helps, and an
// account or country that is not served behind 400.
func faultOf(status int, body []byte) *fault.Error {
	r := codec.ReadReport(body)
	meant := status
	if id := spentQuota(body); id != "" {
		meant, r.Code, r.Type, r.RetryAfter = 402, id, "", 0
	} else if r.Type == "FAILED_PRECONDITION" {
		meant = 403
	}
	f := codec.Classify(meant, r)
	f.Status = status
	return f
}

// inBand is an error that came inside an answer of status 200.
func inBand(data []byte) error { return faultOf(0, data) }

// spentQuota returns the name of a daily quota that the body says is used up.
func spentQuota(body []byte) string {
	if rawjson.Valid(body) != nil {
		return ""
	}
	var c rawjson.Cursor
	c.Reset(body)
	if c.Array() { // streams wrap errors in one
		if !c.Elem() {
			return ""
		}
		body = c.Raw()
	}
	c.Reset(chat.Member(chat.Member(body, "error"), "details"))
	for c.Array(); c.Elem(); {
		if id := daily(chat.Member(c.Raw(), "violations")); id != "" {
			return id
		}
	}
	return ""
}

func daily(violations []byte) string {
	var c rawjson.Cursor
	c.Reset(violations)
	for c.Array(); c.Elem(); {
		if id := rawjson.Text(chat.Member(c.Raw(), "quotaId")); strings.Contains(id, "PerDay") {
			return id
		}
	}
	return ""
}
