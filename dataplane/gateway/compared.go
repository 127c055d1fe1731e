package gateway

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// facts are what is recorded of an answer beside its tokens, of its first choice.
type facts struct {
	shadowOf string // the request that this is a copy of, "" for none
	compared bool   // it has a shadow, or is one
	tools    int64  // that were called
	output   []byte // the text, as inner JSON, if it is to be JSON
	tooLong  bool   // to be kept
}

// maxOutput bounds the text that is kept to see whether it is JSON.
const maxOutput = 1 << 20

// noteFacts takes in an event.
func (a *account) noteFacts(ev *chat.Event) {
	if ev.Choice != 0 {
		return
	}
	for i := range ev.Tools {
		a.tools = max(a.tools, int64(ev.Tools[i].Index)+1)
	}
	if !a.compared || a.tooLong || len(ev.Content) <= 2 || !asksForJSON(a.req) {
		return
	}
	if a.tooLong = len(a.output)+len(ev.Content) > maxOutput; !a.tooLong {
		a.output = append(a.output, rawjson.Inner(ev.Content)...)
	}
}

// reset forgets the answer and keeps the memory.
func (f *facts) reset() { *f = facts{output: api.Bounded(f.output)} }

// asksForJSON reports whether the answer is to be JSON.
func asksForJSON(req *chat.Request) bool {
	format := req.Raw(chat.ResponseFormat)
	if len(format) == 0 || format[0] != rawjson.Object {
		return false
	}
	switch string(chat.Member(format, "type")) {
	case `"json_object"`, `"json_schema"`:
		return true
	}
	return false
}

// fillFacts puts the facts into the event.
func (a *account) fillFacts(u *wire.Usage) {
	u.Shadow, u.ShadowOf, u.ToolCalls = a.shadowOf != "", a.shadowOf, a.tools
	called := a.tools > 0 && len(a.output) == 0
	if !a.compared || u.End != wire.EndComplete || called || a.tooLong || !asksForJSON(a.req) {
		return
	}
	u.JSONOutput = wire.JSONInvalid
	if rawjson.Valid(rawjson.AppendUnescaped(nil, a.output)) == nil {
		u.JSONOutput = wire.JSONValid
	}
}
