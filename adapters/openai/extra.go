package openai

import (
	"bytes"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Google's OpenAI-compatible API, and gateways in front of it, keep the signature
// of a thought in extra_content, of a call or a message. It has to come back
// there. Clients that have no place for it keep it as reasoning_details.

const googleFormat = `"google-gemini-v1"`

// keepsExtra reports whether extra_content goes back as it came: to those that
// read it, and to servers that ignore what they do not know. Others refuse it.
func (a *Adapter) keepsExtra() bool {
	switch a.settings.Kind {
	case "vllm", "sglang", "ollama":
		return true
	}
	return a.readsExtra()
}

// readsExtra reports whether a signature is worth sending: to Gemini, and to
// servers that may be in front of it.
func (a *Adapter) readsExtra() bool {
	return strings.Contains(strings.ToLower(a.settings.Model), "gemini") || a.profile.thinking == thinkObject || a.settings.Kind == "openai_compat" && a.traits.MaxTokensField != "max_completion_tokens"
}

// signatures gives the event the signatures of its calls and its text as details.
func (d *decoder) signatures(ev *chat.Event, calls []chat.ToolDelta) {
	begin := len(d.arena)
	add := func(extra, id []byte) {
		signature := filled(chat.Member(chat.Member(extra, "google"), "thought_signature"))
		if signature == nil || signature[0] != '"' {
			return
		}
		d.arena = append(append(d.arena, `,{"type":"reasoning.encrypted","data":`...), signature...)
		if id != nil {
			d.arena = appendMember(d.arena, "id", id)
		}
		d.arena = append(d.arena, `,"format":`+googleFormat+`}`...)
	}
	add(ev.Extra, nil)
	for i := range calls {
		add(calls[i].Extra, calls[i].ID)
	}
	if len(d.arena) > begin {
		d.arena[begin] = '['
		d.arena = append(d.arena, ']')
		ev.Details = d.arena[begin:len(d.arena):len(d.arena)]
	}
}

// signed returns calls of an earlier turn with the extra_content that this
// server takes.
func (m *messages) signed(list []byte) []byte {
	has := bytes.Contains(list, []byte(`"extra_content"`))
	if has && m.keepsExtra() || !has && (m.details == nil || !m.readsExtra()) {
		return list
	}
	out := []byte{'['}
	for call := range rawjson.Elements(list) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		if has {
			out = appendWith(out, call, "extra_content", nil)
			continue
		}
		if signature := m.signatureOf(chat.Member(call, "id")); signature != nil {
			call = appendWith(nil, call, "extra_content", []byte(`{"google":{"thought_signature":`+string(signature)+`}}`))
		}
		out = append(out, call...)
	}
	return append(out, ']')
}

// signatureOf returns a call's signature among the details of its message.
func (m *messages) signatureOf(id []byte) []byte {
	for item := range rawjson.Elements(m.details) {
		if string(chat.Member(item, "format")) == googleFormat && bytes.Equal(chat.Member(item, "id"), id) {
			return filled(chat.Member(item, "data"))
		}
	}
	return nil
}
