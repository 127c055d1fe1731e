package chat

import (
	"bytes"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// lastCalls marks, during the scan only, that the message at hand has tool calls.
const lastCalls Feature = 1 << 31

// scanMessages checks the shape of every message and notes what occurs, in
// the same pass that finds the end of the array.
func (r *Request) scanMessages(c *rawjson.Cursor) ([]byte, error) {
	c.Array()
	start := c.Offset() - 1
	n, plain, answered := 0, false, false
	var last, before Role
	for ; c.Elem(); n++ {
		r.Has &^= lastCalls
		var err error
		before = last
		at := c.Offset()
		if last, err = r.scanMessage(c, n); err != nil {
			return nil, err
		}
		if last == RoleUser && r.Opening.User == nil {
			r.Opening.System, r.Opening.User = r.Body[start+1:at], r.content
		}
		if answered = answered || last == RoleAssistant; answered {
			r.Opening.Sent = at - start
		}
		switch {
		case !last.system():
			plain = true
		case plain:
			r.Has |= HasLateSystem
		case before.system():
			r.Has |= HasSystems
		}
	}
	if last == RoleAssistant && r.Has&lastCalls == 0 {
		r.Has |= HasPrefill
	}
	r.Has &^= lastCalls
	if c.Err() != nil {
		return nil, syntax(c.Err())
	}
	if n == 0 {
		return nil, invalid("messages: must have at least one message")
	}
	return r.Body[start:c.Offset()], nil
}

func (r *Request) scanMessage(c *rawjson.Cursor, n int) (Role, error) {
	if !c.Object() {
		return 0, r.wrong(c, "messages[%d]: must be an object with role and content, got %s", n)
	}
	var role Role
	toolID := false
	before := r.Has & Media
	r.Has &^= Media
	r.content = nil
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		var err error
		switch string(key) {
		case "role":
			raw := c.Raw()
			if role = roleOf(raw); string(raw) == `"function"` {
				err = errLegacy
			} else if role == 0 && c.Err() == nil {
				err = invalid("messages[%d].role: must be system, developer, user, assistant or tool, got %s", n, describe(raw))
			}
		case "content":
			at := c.Offset()
			err = r.scanContent(c, n)
			r.content = bytes.TrimSpace(r.Body[at:c.Offset()])
		case "tool_calls":
			if kind := c.Kind(); kind != rawjson.Array && kind != rawjson.Null {
				return 0, r.wrong(c, "messages[%d].tool_calls: must be an array, got %s", n)
			}
			r.noteCalls(c.Raw())
		case "tool_call_id":
			toolID = c.Str() != nil
		case "function_call":
			if raw := c.Raw(); !rawjson.IsNull(raw) {
				err = errLegacy
			} else {
				r.note(raw, 0)
			}
		default:
			f := featureOf(key)
			r.note(c.Raw(), f)
		}
		if err != nil {
			return 0, err
		}
	}
	if c.Err() != nil {
		return 0, syntax(c.Err())
	}
	if role == RoleTool && r.Has&Media != 0 {
		r.Has = r.Has&^Media | HasResultMedia
	}
	r.Has |= before
	return role, r.roleRules(role, n, toolID)
}

// featureOf is what a message has that has a value for key, 0 for nothing that
// matters.
func featureOf(key []byte) Feature {
	switch string(key) {
	case "images":
		return HasOwnImages
	case "reasoning", "reasoning_content", "reasoning_details":
		return HasReasoning
	case "cache_control":
		return HasCacheControl
	case "extra_content":
		return HasExtra
	case "is_error":
		return HasForeign
	}
	return 0
}

func (r *Request) noteCalls(raw []byte) {
	r.note(raw, HasToolCalls|lastCalls)
	if bytes.Contains(raw, []byte(`"custom"`)) {
		r.Has |= HasCustomCalls
	}
	if bytes.Contains(raw, []byte(`"extra_content"`)) {
		r.Has |= HasExtra
	}
}

func (r *Request) roleRules(role Role, n int, toolID bool) error {
	switch role {
	case 0:
		return invalid("messages[%d].role: required", n)
	case RoleDeveloper:
		r.Has |= HasDeveloper
	case RoleTool:
		r.Has |= HasToolResults
		if !toolID {
			return invalid("messages[%d].tool_call_id: required for a tool message", n)
		}
	case RoleSystem, RoleUser, RoleAssistant:
	}
	return nil
}

// note records a feature if the value is not null, and null members as such.
func (r *Request) note(raw []byte, f Feature) {
	if rawjson.IsNull(raw) {
		f = HasNull
	}
	r.Has |= f
}

// wrong reports a value of the wrong kind, or the syntax error that hides there.
func (r *Request) wrong(c *rawjson.Cursor, format string, args ...any) error {
	raw := c.Raw()
	if c.Err() != nil {
		return syntax(c.Err())
	}
	return invalid(format, append(args, describe(raw))...)
}

func (r *Request) scanContent(c *rawjson.Cursor, n int) error {
	switch c.Kind() {
	case rawjson.String, rawjson.Null:
		c.Skip() // null content is normal beside tool calls
		return nil
	case rawjson.Array:
		r.Has |= HasParts
	default:
		return r.wrong(c, "messages[%d].content: must be a string, an array of parts or null, got %s", n)
	}
	c.Array()
	for i := 0; c.Elem(); i++ {
		if !c.Object() {
			return r.wrong(c, "messages[%d].content[%d]: must be an object with a type, got %s", n, i)
		}
		if err := r.scanPart(c, n, i); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) scanPart(c *rawjson.Cursor, n, i int) error {
	var kind, needed []byte
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "type":
			kind = c.Raw()
		case "text", "image_url", "input_audio", "file", "video_url", "input_video", "refusal":
			needed = c.Raw()
		case "cache_control":
			r.note(c.Raw(), HasCacheControl)
		case "citations", "context":
			r.Has |= HasForeign
			c.Skip()
		default:
			c.Skip()
		}
	}
	if c.Err() != nil {
		return syntax(c.Err())
	}
	kindOf := partOf(kind)
	switch {
	case len(kind) == 0 || kind[0] != '"':
		return invalid("messages[%d].content[%d].type: required, a string", n, i)
	case kindOf == PartText && (len(needed) == 0 || needed[0] != '"'):
		return invalid("messages[%d].content[%d].text: required, a string", n, i)
	case kindOf != PartOther && kindOf != PartText && rawjson.IsNull(needed):
		return invalid("messages[%d].content[%d]: a part of type %s needs a member of that name", n, i, kind)
	}
	r.Has |= kindOf.feature()
	return nil
}
