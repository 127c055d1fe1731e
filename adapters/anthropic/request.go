package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// maxBreakpoints is how many cache_control marks the API takes.
const maxBreakpoints = 4

// draft is one request on its way into the API's form: first everything is
// decided, then written.
type draft struct {
	a    *Adapter
	r    *chat.Request
	call *codec.Call
	body []byte

	talk  talk
	tools toolPlan
	think thinkPlan
	// limit is max_tokens.
	limit int64
	// format is the schema of the answer, for models that hold to it.
	format []byte
	// surplus is the number of cache_control marks that are left out.
	surplus int
}

// AppendBody appends the request's body to call.Body and notes in call.Dropped
// what the model does not take.
func (a *Adapter) AppendBody(r *chat.Request, call *codec.Call) error {
	d := &draft{a: a, r: r, call: call, body: call.Body}
	if err := d.plan(); err != nil {
		return err
	}
	err := d.write()
	call.Body = d.body
	return err
}

func (d *draft) plan() error {
	if d.r.Messages == nil {
		prompt := d.r.Raw(chat.Prompt)
		if str(prompt) == nil {
			return invalid("prompt: must be a string for this model")
		}
		d.talk.add(&chat.Message{Role: chat.RoleUser, Text: prompt})
	}
	messages := d.r.Turns()
	for i := range messages {
		d.talk.add(&messages[i])
	}
	d.limit = d.clamp(d.r.MaxTokens)
	d.planTools()
	d.planThinking()
	d.talk.settle(d.thinks(), d.a.traits.Prefill == "yes" && !d.thinks())
	d.drop(chat.N, chat.Logprobs, chat.TopLogprobs, chat.LogitBias, chat.Seed, chat.FrequencyPenalty, chat.PresencePenalty, chat.RepetitionPenalty,
		chat.MinP, chat.TopA, chat.Prediction, chat.Modalities, chat.Audio, chat.ImageConfig, chat.WebSearchOptions)
	d.call.Dropped |= d.r.Router()
	if d.r.Has&chat.HasExtra != 0 {
		d.call.Omitted = append(d.call.Omitted, "messages.extra_content")
	}
	d.surplus = d.breakpoints() - maxBreakpoints
	return nil
}

// clamp returns the limit of the answer's length: what was asked for, at most
// what the model gives.
func (d *draft) clamp(n int64) int64 {
	most := d.a.settings.MaxOutput
	switch {
	case n == 0 && most == 0:
		return defaultMaxTokens
	case n == 0:
		return most
	case most == 0:
		return n
	}
	return min(n, most)
}

// drop notes parameters that are not sent, if the client gave them.
func (d *draft) drop(params ...chat.Param) { d.call.Dropped |= chat.SetOf(params...) & d.r.Sent }

// write writes the members. Tools, system and messages stand in the order in
// which the API caches them.
func (d *draft) write() error {
	d.put(`{` + d.a.place.Head)
	if d.member("max_tokens") {
		d.putInt(d.limit)
	}
	if raw := d.r.Raw(chat.Stream); raw != nil && d.member("stream") {
		d.putRaw(raw)
	}
	d.writeTools()
	if err := d.writeSystem(); err != nil {
		return err
	}
	if err := d.writeMessages(); err != nil {
		return err
	}
	d.writeThinking()
	d.writeSampling()
	d.writeRest()
	d.body = append(append(d.body, d.a.extra...), '}')
	return nil
}

// writeRest writes what concerns the entire request.
func (d *draft) writeRest() {
	if user := d.r.Raw(chat.User); user != nil && d.member("metadata") {
		d.put(`{"user_id":`).putRaw(user).put(`}`)
	}
	d.writeTier()
	if mark := d.r.Raw(chat.CacheControl); mark != nil && !d.a.place.Partner && d.member("cache_control") {
		d.putRaw(mark)
	}
	for _, name := range []string{"container", "context_management", "inference_geo", "mcp_servers", "speed"} {
		if val := d.clientMember(name); val != nil && d.member(name) {
			d.putRaw(val)
		}
	}
}

func (d *draft) writeTier() {
	tier := d.r.Raw(chat.ServiceTier)
	if tier == nil {
		return
	}
	switch string(rawjson.Inner(tier)) {
	case "default", "standard", "standard_only":
		tier = []byte(`"standard_only"`)
	case "auto":
	default:
		tier = nil
	}
	if tier == nil || d.a.place.Partner {
		d.drop(chat.ServiceTier)
	} else if d.member("service_tier") {
		d.putRaw(tier)
	}
}

// clientMember returns a member of the request that the gateway does not know
// but the API does. Unknown members in general are not passed on: the API
// refuses a request for any of them.
func (d *draft) clientMember(name string) []byte {
	for i := range d.r.Fields {
		if f := &d.r.Fields[i]; f.Param == chat.Other && string(f.Key) == name {
			return f.Value
		}
	}
	return nil
}
