package chat

import (
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Role is a message's author.
type Role uint8

// The roles; 0 is none.
const (
	RoleSystem Role = iota + 1
	RoleDeveloper
	RoleUser
	RoleAssistant
	RoleTool
)

func (r Role) system() bool { return r == RoleSystem || r == RoleDeveloper }

func roleOf(raw []byte) Role {
	switch string(raw) {
	case `"system"`:
		return RoleSystem
	case `"developer"`:
		return RoleDeveloper
	case `"user"`:
		return RoleUser
	case `"assistant"`:
		return RoleAssistant
	case `"tool"`:
		return RoleTool
	}
	return 0
}

// Message is one turn, for adapters that translate.
type Message struct {
	Role Role
	// Raw is the entire object.
	Raw []byte
	// Text is the content given as one string; Parts the content given as an
	// array. Both are empty for null content.
	Text  Literal
	Parts []Part
	// Calls are an assistant's tool calls.
	Calls []Call
	// Images are those that an assistant made.
	Images []Part
	// CallID is what a tool message answers; Name is the optional name.
	CallID, Name Literal
	// Thought is reasoning or reasoning_content, Details the raw reasoning_details.
	Thought Literal
	Details []byte
	Refusal Literal
	// CacheControl is the message's own cache_control, raw.
	CacheControl []byte
}

// Call is a tool call of an assistant message. One of a tool of free text is a
// function's with that one argument.
type Call struct {
	ID, Name, Arguments Literal
	// Raw is the entire object, for provider extensions.
	Raw []byte
}

// PartType is what a content part holds.
type PartType uint8

// The part types. PartOther is passed on or refused by the adapter.
const (
	PartOther PartType = iota
	PartText
	PartImage
	PartAudio
	PartFile
	PartVideo
	PartRefusal
)

// Part is one piece of a message's content.
type Part struct {
	Type PartType
	// Kind is the type as written, for messages about unknown ones.
	Kind Literal
	// Text is a text or refusal part's text.
	Text Literal
	// URL is an image's, video's or file's URL, often a data: URL.
	URL Literal
	// Detail is an image's detail.
	Detail Literal
	// Data and Format are an audio part's base64 text and format; Filename is a file's.
	Data, Format, Filename Literal
	CacheControl           []byte
	// Raw is the entire object.
	Raw []byte
}

func partOf(raw []byte) PartType {
	switch string(raw) {
	case `"text"`:
		return PartText
	case `"image_url"`:
		return PartImage
	case `"input_audio"`:
		return PartAudio
	case `"file"`:
		return PartFile
	case `"video_url"`, `"input_video"`:
		return PartVideo
	case `"refusal"`:
		return PartRefusal
	}
	return PartOther
}

func (t PartType) feature() Feature {
	switch t {
	case PartImage:
		return HasImage
	case PartAudio:
		return HasAudio
	case PartFile:
		return HasFile
	case PartVideo:
		return HasVideo
	case PartOther:
		return HasForeign
	case PartText, PartRefusal:
	}
	return 0
}

// Turns decodes the messages of a parsed request. Spans alias its body.
func (r *Request) Turns() []Message {
	var out []Message
	var c rawjson.Cursor
	c.Reset(r.Messages)
	for c.Array(); c.Elem(); {
		out = append(out, decodeMessage(c.Raw()))
	}
	return out
}

func decodeMessage(raw []byte) Message {
	m := Message{Raw: raw}
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if rawjson.IsNull(val) {
			continue
		}
		switch string(key) {
		case "role":
			m.Role = roleOf(val)
		case "content":
			m.content(val)
		case "name":
			m.Name = text(val)
		case "tool_call_id":
			m.CallID = text(val)
		case "tool_calls":
			m.Calls = decodeCalls(val)
		case "images":
			for image := range rawjson.Elements(val) {
				m.Images = append(m.Images, decodePart(image))
			}
		case "reasoning":
			if t := text(val); len(t) > 2 || m.Thought == nil {
				m.Thought = t
			}
		case "reasoning_content": // an alias, which counts if the other is empty
			if len(m.Thought) <= 2 {
				m.Thought = text(val)
			}
		case "reasoning_details":
			m.Details = val
		case "refusal":
			m.Refusal = text(val)
		case "cache_control":
			m.CacheControl = val
		}
	}
	if m.Role != RoleAssistant {
		m.Images = nil
	}
	return m
}

// text returns raw if it is a string literal.
func text(raw []byte) Literal {
	if len(raw) > 0 && raw[0] == '"' {
		return raw
	}
	return nil
}

func (m *Message) content(raw []byte) {
	if m.Text = text(raw); m.Text != nil {
		return
	}
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		m.Parts = append(m.Parts, decodePart(c.Raw()))
	}
}

func decodeCalls(raw []byte) []Call {
	var out []Call
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		obj := c.Raw()
		call := Call{ID: text(Member(obj, "id")), Raw: obj}
		if custom := CustomCall(obj); custom != nil {
			call.Name, call.Arguments = text(Member(custom, "name")), CustomArguments(Member(custom, "input"))
		} else {
			fn := Member(obj, "function")
			call.Name, call.Arguments = text(Member(fn, "name")), text(Member(fn, "arguments"))
		}
		out = append(out, call)
	}
	return out
}

func decodePart(raw []byte) Part {
	p := Part{Raw: raw, Kind: text(Member(raw, "type")), CacheControl: Member(raw, "cache_control")}
	if rawjson.IsNull(p.CacheControl) {
		p.CacheControl = nil
	}
	p.Type = partOf(p.Kind)
	switch p.Type {
	case PartText:
		p.Text = text(Member(raw, "text"))
	case PartRefusal:
		p.Text = text(Member(raw, "refusal"))
	case PartImage:
		img := Member(raw, "image_url")
		p.URL, p.Detail = urlOf(img), text(Member(img, "detail"))
	case PartVideo:
		if p.URL = urlOf(Member(raw, "video_url")); p.URL == nil {
			p.URL = urlOf(Member(raw, "input_video"))
		}
	case PartAudio:
		audio := Member(raw, "input_audio")
		p.Data, p.Format = text(Member(audio, "data")), text(Member(audio, "format"))
	case PartFile:
		file := Member(raw, "file")
		p.URL, p.Filename = text(Member(file, "file_data")), text(Member(file, "filename"))
	case PartOther:
	}
	return p
}

// urlOf reads {"url":...} and the bare string that some clients send.
func urlOf(raw []byte) Literal {
	if s := text(raw); s != nil {
		return s
	}
	return text(Member(raw, "url"))
}
