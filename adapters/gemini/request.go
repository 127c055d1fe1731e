package gemini

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Encode implements codec.Adapter.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.url
	if r.Stream {
		call.URL = a.streamURL
	}
	if err := a.check(r); err != nil {
		return err
	}
	start := len(call.Body)
	if err := a.encodeMessages(r, call); err != nil {
		return err
	}
	a.encodeTools(r, call)
	a.encodeConfig(r, call)
	call.Dropped |= r.Sent&unknownToGoogle() | r.Router()
	if r.MarksCache() {
		call.Dropped |= chat.SetOf(chat.CacheControl)
	}
	call.Body = append(call.Body, a.top.raw...)
	call.Body[start] = '{' // in place of the first member's comma
	call.Body = append(call.Body, '}')
	return nil
}

// unknownToGoogle are the parameters that have no counterpart. What is the
// gateway's own business (routing, traces) is not among them.
func unknownToGoogle() chat.ParamSet {
	return chat.SetOf(chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.LogitBias, chat.ParallelToolCalls, chat.Verbosity, chat.User, chat.Metadata,
		chat.ServiceTier, chat.Prediction, chat.Audio, chat.WebSearchOptions, chat.PromptCacheKey, chat.CacheControl)
}

// check refuses what the model cannot do.
func (a *Adapter) check(r *chat.Request) error {
	const choices = 8
	if n, _ := rawjson.Int(r.Raw(chat.N)); n > choices {
		return fault.New(fault.InvalidRequest, "n: this model gives at most %d choices, got %d", choices, n)
	}
	for _, m := range []struct {
		feature chat.Feature
		name    string
	}{{chat.HasImage, "image"}, {chat.HasAudio, "audio"}, {chat.HasVideo, "video"}, {chat.HasFile, "file"}} {
		if r.Has&m.feature != 0 && a.settings.Inputs&m.feature == 0 {
			return fault.New(fault.InvalidRequest, "This model does not take %s input", m.name)
		}
	}
	return nil
}

// encodeMessages writes contents and systemInstruction.
func (a *Adapter) encodeMessages(r *chat.Request, call *codec.Call) error {
	turns := r.Turns()
	var err error
	if !a.top.names["contents"] {
		call.Body = appendKey(call.Body, "contents")
		if call.Body, err = a.appendContents(call.Body, r, turns); err != nil {
			return err
		}
	}
	if !a.top.names["systemInstruction"] {
		call.Body, err = appendSystem(call.Body, turns, a.formatText(r))
	}
	return err
}

// appendSystem writes the leading run of system and developer messages, and what
// the prompt has to say of the answer's form. Later ones stay in their place.
func appendSystem(dst []byte, turns []chat.Message, format chat.Literal) ([]byte, error) {
	start := len(dst)
	add := func(text chat.Literal) {
		if len(text) <= 2 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ',')
		} else {
			dst = append(dst, `,"systemInstruction":{"parts":[`...)
		}
		dst = append(append(append(dst, `{"text":`...), text...), '}')
	}
	for i := range turns {
		m := &turns[i]
		if !instructs(m.Role) {
			break
		}
		add(m.Text)
		for j := range m.Parts {
			if m.Parts[j].Text == nil {
				return dst, fault.New(fault.InvalidRequest, "messages[%d].content[%d]: this model takes text only in a system message", i, j)
			}
			add(m.Parts[j].Text)
		}
	}
	add(format)
	if len(dst) > start {
		dst = append(dst, `]}`...)
	}
	return dst, nil
}

func instructs(role chat.Role) bool {
	return role == chat.RoleSystem || role == chat.RoleDeveloper
}
