package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// EncodeMessages fills call with a client's own Messages request, as it is but
// for the model: what the canonical form cannot express stays in.
func (a *Adapter) EncodeMessages(body []byte, call *codec.Call) error {
	call.URL = a.url
	call.Headers = append(call.Headers, codec.Header{Name: "anthropic-version", Value: version})
	return a.AppendMessages(body, call)
}

// CountsTokens reports that the endpoint counts the tokens of a request.
func (a *Adapter) CountsTokens() bool { return true }

// EncodeCountTokens fills call with a client's own request for the number of
// tokens, as it is but for the model.
func (a *Adapter) EncodeCountTokens(body []byte, call *codec.Call) error {
	call.URL = a.url + "/count_tokens"
	call.Headers = append(call.Headers, codec.Header{Name: "anthropic-version", Value: version})
	return a.AppendCountTokens(body, call)
}

// AppendCountTokens appends such a request to call.Body. extra_body is for
// generations, and stays out.
func (a *Adapter) AppendCountTokens(body []byte, call *codec.Call) error {
	if err := rawjson.Valid(body); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	call.Body = rawjson.AppendString(append(call.Body, `{"model":`...), a.settings.Model)
	for key, val := range rawjson.Members(body) {
		switch name := string(key); {
		case gatewayMember(name), name == "max_tokens", name == "stream": // the API refuses what only a generation takes
		default:
			call.Body = append(append(append(append(call.Body, ',', '"'), key...), '"', ':'), val...)
		}
	}
	call.Body = append(call.Body, '}')
	return nil
}

// AppendMessages appends a client's Messages request to call.Body, with this
// place's head and the route's extra_body and without the members that concern
// the gateway only.
func (a *Adapter) AppendMessages(body []byte, call *codec.Call) error {
	if err := rawjson.Valid(body); err != nil {
		return invalid("The request body is not valid JSON: %v", err)
	}
	d := &draft{a: a, call: call, body: call.Body}
	d.put(`{` + a.place.Head)
	for key, val := range rawjson.Members(body) {
		if !gatewayMember(string(key)) && d.member(string(key)) {
			d.putRaw(val)
		}
	}
	if chat.Member(body, "max_tokens") == nil && d.member("max_tokens") {
		d.putInt(d.clamp(0)) // OpenRouter lets clients leave it out
	}
	call.Body = append(append(d.body, a.extra...), '}')
	return nil
}

// gatewayMember reports members that OpenRouter adds to the API, and those that
// that the place's head names.
func gatewayMember(name string) bool {
	switch name {
	case "model", "models", "fallbacks", "provider", "plugins", "route", "session_id", "trace", "user", "preset", "transforms", "anthropic_version":
		return true
	}
	return false
}
