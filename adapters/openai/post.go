package openai

import (
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// EncodePost implements codec.Poster: the client's document as it is, but for
// the model and what concerns the gateway.
func (a *Adapter) EncodePost(path string, body []byte, call *codec.Call) error {
	call.URL = a.base + "/" + path + a.query
	call.Body = append(append(call.Body, `{"model":`...), a.model...)
	for key, val := range rawjson.Members(body) {
		if !gatewayMember(string(key)) && !a.override[string(key)] {
			call.Body = appendMember(append(call.Body, ','), key, val)
		}
	}
	call.Body = append(append(call.Body, a.always...), '}')
	return nil
}
