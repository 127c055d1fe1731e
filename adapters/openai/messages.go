package openai

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// encodeMessages copies the messages as they stand if nothing in them has to
// change for this server, else rewrites them one by one.
func (a *Adapter) encodeMessages(r *chat.Request, p *plan, call *codec.Call) error {
	if err := a.checkInputs(r.Has); err != nil {
		return err
	}
	format := a.formatText(r)
	if format == nil && !a.rewrites(r.Has) {
		call.Body = append(call.Body, r.Messages...)
		return nil
	}
	m := messages{
		Adapter: a, flatten: a.flattens(r.Has), quiet: r.Reasoning.Off || p.quiet, format: format,
		merge: a.oneSystem() && (r.Has&chat.HasSystems != 0 || format != nil),
		mixed: r.Has&chat.HasLateSystem != 0, late: a.traits.SystemMessages == "leading",
	}
	if r.Has&chat.HasPrefill != 0 && a.profile.prefillMessage != "" {
		m.prefill = elements(r.Messages)
	}
	var err error
	call.Body, err = m.append(call.Body, r.Messages)
	return err
}

// oneSystem reports whether a second system message at the beginning is refused
// as well.
func (a *Adapter) oneSystem() bool {
	return a.profile.oneSystem || a.traits.SystemMessages == "leading"
}

// checkInputs refuses media that the model cannot take.
func (a *Adapter) checkInputs(has chat.Feature) error {
	for _, m := range []struct {
		feature chat.Feature
		name    string
	}{{chat.HasImage, "image"}, {chat.HasAudio, "audio"}, {chat.HasVideo, "video"}, {chat.HasFile, "file"}} {
		if has&m.feature != 0 && a.settings.Inputs&m.feature == 0 {
			return fault.New(fault.InvalidRequest, "This model does not take %s input", m.name)
		}
	}
	return nil
}

func (a *Adapter) rewrites(has chat.Feature) bool {
	p := &a.profile
	on := func(f chat.Feature, when bool) bool { return when && has&f != 0 }
	return p.strictMessages || on(chat.HasNull|chat.HasReasoning, true) || on(chat.HasDeveloper, p.systemOnly) || on(chat.HasSystems, a.oneSystem()) ||
		on(chat.HasLateSystem|chat.HasForeign, true) || on(chat.HasResultMedia, a.settings.Inputs&chat.Media != chat.Media || p.dataImages || !p.mediaResults) || on(chat.HasCacheControl, !p.keepCache) || on(chat.HasImage, p.dataImages) || on(chat.HasToolCalls, p.parsesCalls || p.history == historyRequired) || on(chat.HasPrefill, p.prefillMessage != "") || on(chat.HasToolResults, p.answersResults) ||
		on(chat.HasCustomCalls, !a.takesCustom()) || on(chat.HasOwnImages, !a.takesOwnImages()) || on(chat.HasExtra, !a.keepsExtra()) ||
		a.flattens(has)
}

// flattens reports whether arrays of text become one string: what text-only
// chat templates expect.
func (a *Adapter) flattens(has chat.Feature) bool {
	const media = chat.HasImage | chat.HasAudio | chat.HasVideo | chat.HasFile
	return has&chat.HasParts != 0 && !a.profile.keepParts && a.settings.Inputs&media == 0
}

// messages rewrites the messages of one request.
type messages struct {
	*Adapter
	flatten bool // parts become one string
	quiet   bool // the model will not think
	merge   bool // the system messages at the beginning become one
	mixed   bool // there are system messages behind the beginning
	late    bool // these become the user's
	format  []byte
	members []member
	// prefill is how many messages come before the one that begins the answer,
	// itself included; 0 if there is none.
	prefill int
	last    bool // the message at hand is that one

	mark int
	// held are system messages that came between calls and their results: they
	// follow the results.
	held [][]byte
	// media are parts of results, each behind a comma, that follow them in a
	// message of the user's.
	media []byte
	// result: the last message that was appended is a tool's.
	result bool
	// role is that of the message at hand, called means that it has calls.
	role   []byte
	called bool
	// details are its reasoning_details, nil for none.
	details []byte
	// open: the one system message has been begun and not ended.
	open bool
}

// member is a member of the message at hand. Its value may be long: it is
// looked for once.
type member struct{ key, value []byte }

func (m *messages) read(raw []byte) {
	m.members, m.role, m.called, m.details = m.members[:0], nil, false, nil
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		m.members = append(m.members, member{key, val})
		switch string(key) {
		case "role":
			m.role = val
		case "tool_calls":
			m.called = array(val) != nil
		case "reasoning_details":
			m.details = array(val)
		}
	}
}

func (m *messages) append(dst, list []byte) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(list)
	c.Array()
	dst = append(dst, '[')
	m.mark = len(dst)
	leading, calling := true, false
	var err error
	for n := 1; c.Elem(); n++ {
		raw := c.Raw()
		m.last = n == m.prefill
		system := (leading || m.mixed) && isSystem(raw)
		switch {
		case leading && system && m.merge:
			dst, m.open = appendSystem(dst, raw, len(dst) == m.mark), true
			continue
		case leading && !system:
			leading, dst = false, m.endLeading(dst)
		case !leading && system && calling:
			m.held = append(m.held, raw)
			continue
		}
		if !isResult(raw) {
			if dst, err = m.release(dst); err != nil {
				return dst, err
			}
		}
		calling = m.mixed && answersCalls(raw)
		if dst, err = m.next(dst, raw, system && !leading); err != nil {
			return dst, err
		}
	}
	if leading {
		dst = m.endLeading(dst)
	}
	if dst, err = m.release(dst); err != nil {
		return dst, err
	}
	return append(dst, ']'), nil
}

// endLeading ends the system prompt, to which the form of the answer belongs.
func (m *messages) endLeading(dst []byte) []byte {
	switch {
	case m.open && m.format != nil:
		dst = append(append(dst, `\n\n`...), m.format...)
	case m.format != nil:
		dst = append(append(m.comma(dst), `{"role":"system","content":"`...), m.format...)
	case !m.open:
		return dst
	}
	m.open = false
	return append(dst, `"}`...)
}

func (m *messages) comma(dst []byte) []byte {
	if len(dst) > m.mark {
		return append(dst, ',')
	}
	return dst
}

// release appends what waited for the results: their media, and system messages.
func (m *messages) release(dst []byte) ([]byte, error) {
	if len(m.media) > 0 {
		dst = append(m.users(m.comma(dst)), `{"role":"user","content":[{"type":"text","text":"[Content of the tool results above]"}`...)
		dst = append(append(dst, m.media...), `]}`...)
		m.media = m.media[:0]
	}
	var err error
	for _, raw := range m.held {
		if dst, err = m.next(dst, raw, true); err != nil {
			return dst, err
		}
	}
	m.held = m.held[:0]
	return dst, nil
}

// next appends a message; a late system message as the user's, if the server
// takes system messages at the beginning only.
func (m *messages) next(dst, raw []byte, late bool) ([]byte, error) {
	dst = m.comma(dst)
	if late && m.late {
		dst = append(append(m.users(dst), `{"role":"user","content":"`...), chat.Instruction...)
		return append(append(dst, flat(chat.Member(raw, "content"))...), `"}`...), nil
	}
	if string(chat.Member(raw, "role")) == `"user"` {
		dst = m.users(dst)
	}
	m.result = isResult(raw)
	return m.message(dst, raw)
}

// users puts an answer between a result and a message of the user's, where the
// server wants one.
func (m *messages) users(dst []byte) []byte {
	if m.result && m.profile.answersResults {
		dst = append(dst, `{"role":"assistant","content":"OK"},`...)
	}
	m.result = false
	return dst
}

// answersCalls reports whether tool messages may follow: after a message with
// calls, and after another of them.
func answersCalls(raw []byte) bool {
	return isResult(raw) || array(chat.Member(raw, "tool_calls")) != nil
}

func isResult(raw []byte) bool { return string(chat.Member(raw, "role")) == `"tool"` }

func isSystem(raw []byte) bool {
	role := string(chat.Member(raw, "role"))
	return role == `"system"` || role == `"developer"`
}

// appendSystem begins the one system message, or goes on with it.
func appendSystem(dst, raw []byte, first bool) []byte {
	if first {
		dst = append(dst, `{"role":"system","content":"`...)
	} else {
		dst = append(dst, `\n\n`...)
	}
	return append(dst, flat(chat.Member(raw, "content"))...)
}

// flat returns the inside of a literal with the text of a message's content.
func flat(content []byte) []byte {
	if len(content) > 0 && content[0] == '[' {
		return rawjson.Inner(appendFlat(nil, content))
	}
	return rawjson.Inner(content)
}

// message appends one message, without null members and with its role,
// content, calls and reasoning as the server takes them.
func (m *messages) message(dst, raw []byte) ([]byte, error) {
	m.read(raw)
	m.noteImages()
	t := m.thoughts()
	dst = append(dst, '{')
	for _, f := range m.members {
		if m.leavesOut(string(f.key), f.value) {
			continue
		}
		dst = appendMember(dst, f.key, nil)
		var err error
		if dst, err = m.member(dst, string(f.key), f.value, &t); err != nil {
			return dst, err
		}
	}
	if dst = m.appendHistory(dst, &t); m.last {
		dst = append(dst, m.profile.prefillMessage...)
	}
	return append(dst, '}'), nil
}

// leavesOut reports whether a member of a message is not sent unchanged.
func (m *messages) leavesOut(key string, val []byte) bool {
	switch key {
	case "content":
		return false
	case "reasoning", "reasoning_content", "reasoning_details":
		return true // appendHistory says it
	case "is_error": // of Anthropic's results
		return true
	case "extra_content":
		return rawjson.IsNull(val) || !m.keepsExtra()
	case "cache_control":
		return !m.profile.keepCache
	case "images":
		return rawjson.IsNull(val) || !m.takesOwnImages()
	case "role", "name", "tool_call_id", "tool_calls":
		return rawjson.IsNull(val)
	}
	return rawjson.IsNull(val) || m.profile.strictMessages
}

func (m *messages) member(dst []byte, key string, val []byte, t *thoughts) ([]byte, error) {
	switch {
	case key == "role" && m.profile.systemOnly && string(val) == `"developer"`:
		return append(dst, `"system"`...), nil
	case key == "tool_calls":
		return m.calls(dst, val), nil
	case key == "tool_call_id" && m.profile.shortIDs:
		return appendShortID(dst, val), nil
	case key != "content":
		return append(dst, val...), nil
	case t.tags != nil:
		return appendTagged(dst, t.tags, val), nil
	case len(val) > 0 && val[0] == '[' && m.flatten:
		if dst = appendFlat(dst, val); bytes.HasSuffix(dst, []byte(`:""`)) {
			dst = append(dst[:len(dst)-len(`""`)], m.nothing()...)
		}
		return dst, nil
	case len(val) > 0 && val[0] == '[':
		return m.parts(dst, val)
	}
	return append(dst, val...), nil
}

// appendFlat joins text parts with line ends.
func appendFlat(dst, parts []byte) []byte {
	var c rawjson.Cursor
	c.Reset(parts)
	dst = append(dst, '"')
	mark := len(dst)
	for c.Array(); c.Elem(); {
		part := c.Raw()
		text := rawjson.Inner(chat.Member(part, "text"))
		if text == nil && chat.Foreign(part) {
			text = rawjson.Inner(chat.ForeignText(part))
		} else if text == nil { // servers that get their texts flat take nothing else
			text = rawjson.Inner(chat.MediaNote(part, 0))
		}
		if text == nil {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, '\\', 'n')
		}
		dst = append(dst, text...)
	}
	return append(dst, '"')
}

// parts copies parts, less what the server would refuse: cache_control,
// citations, blocks of Anthropic's own, of which the text is kept, and media of
// results, which it may take from the user only.
func (m *messages) parts(dst, parts []byte) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(parts)
	c.Array()
	begin := len(dst)
	dst = append(dst, '[')
	for c.Elem() {
		part := c.Raw()
		if note := chat.MediaNote(part, m.settings.Inputs); note != nil { // in results only: others have been refused
			part = append(append([]byte(`{"type":"text","text":`), note...), '}')
		}
		if m.profile.dataImages && remoteImage(part) {
			return dst, fault.New(fault.InvalidRequest, "This model takes images as data: URLs only")
		}
		if chat.Foreign(part) {
			text := chat.ForeignText(part)
			if text == nil {
				continue
			}
			part = append(append([]byte(`{"type":"text","text":`), text...), '}')
		}
		part = m.part(part)
		if !m.profile.mediaResults && string(m.role) == `"tool"` && chat.IsMedia(part) {
			m.media = append(append(m.media, ','), part...)
			part = []byte(`{"type":"text","text":"[See the next message of the user]"}`)
		}
		if len(dst) > begin+1 {
			dst = append(dst, ',')
		}
		dst = append(dst, part...)
	}
	if len(dst) == begin+1 {
		return append(dst[:begin], m.nothing()...), nil
	}
	return append(dst, ']'), nil
}

// nothing is the content of a message of which nothing is left. Many servers
// refuse an answer without content.
func (m *messages) nothing() string {
	if string(m.role) == `"assistant"` && !m.called {
		return `"` + chat.ForeignNote + `"`
	}
	return `""`
}

func (m *messages) part(part []byte) []byte {
	if !m.profile.keepCache && bytes.Contains(part, []byte(`"cache_control"`)) {
		part = appendWith(nil, part, "cache_control", nil)
	}
	for _, name := range []string{"citations", "context"} {
		if bytes.Contains(part, []byte(name)) && !rawjson.IsNull(chat.Member(part, name)) {
			part = appendWith(nil, part, name, nil)
		}
	}
	return part
}

func remoteImage(part []byte) bool {
	img := chat.Member(part, "image_url")
	if len(img) > 0 && img[0] == '{' {
		img = chat.Member(img, "url")
	}
	return len(img) > 0 && !bytes.HasPrefix(img, []byte(`"data:`))
}
