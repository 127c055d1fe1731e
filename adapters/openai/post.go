package openai

import (
	"strings"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/form"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// EncodePost implements codec.Poster: the client's document unchanged, but for
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

// EncodeForm implements codec.Poster, as EncodePost. A member that every request
// gets is a field, strings without their quotes.
func (a *Adapter) EncodeForm(path string, f *form.Form, call *codec.Call) error {
	call.URL, call.ContentType = a.base+"/"+path+a.query, f.ContentType()
	body := f.Grow(call.Body, formRoom+len(a.always))
	body = f.AppendField(body, "model", a.settings.Model)
	for i := range f.Parts {
		p := &f.Parts[i]
		if name := strings.TrimSuffix(p.Name, "[]"); !gatewayMember(name) && !a.override[name] && !a.override[p.Name] {
			body = f.AppendPart(body, p)
		}
	}
	for key, val := range rawjson.Members(append([]byte{'{'}, strings.TrimPrefix(string(a.always)+"}", ",")...)) {
		text := string(val)
		if val[0] == '"' {
			text = rawjson.Text(val)
		}
		body = f.AppendField(body, string(key), text)
	}
	call.Body = f.AppendEnd(body)
	return nil
}

// formRoom is about what the fields of the gateway's own take.
const formRoom = 1 << 10
