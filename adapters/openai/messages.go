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
func (a *Adapter) encodeMessages(r *chat.Request, call *codec.Call) error {
	if err := a.checkInputs(r.Has); err != nil {
		return err
	}
	if !a.rewrites(r.Has) {
		call.Body = append(call.Body, r.Messages...)
		return nil
	}
	flatten := a.flattens(r.Has)
	var c rawjson.Cursor
	c.Reset(r.Messages)
	c.Array()
	call.Body = append(call.Body, '[')
	for n := 0; c.Elem(); n++ {
		if n > 0 {
			call.Body = append(call.Body, ',')
		}
		var err error
		if call.Body, err = a.appendMessage(call.Body, c.Raw(), flatten); err != nil {
			return err
		}
	}
	call.Body = append(call.Body, ']')
	return nil
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
	return has&(chat.HasNull) != 0 || has&chat.HasReasoning != 0 && p.history != historyDetails ||
		has&chat.HasDeveloper != 0 && p.systemOnly || has&chat.HasCacheControl != 0 && !p.keepCache ||
		p.dataImages && has&chat.HasImage != 0 || a.flattens(has)
}

// flattens reports whether arrays of text become one string: what text-only
// chat templates expect.
func (a *Adapter) flattens(has chat.Feature) bool {
	const media = chat.HasImage | chat.HasAudio | chat.HasVideo | chat.HasFile
	return has&chat.HasParts != 0 && !a.profile.keepParts && a.settings.Inputs&media == 0
}

// appendMessage appends one message, without null members and with its role,
// content and reasoning as the server takes them.
func (a *Adapter) appendMessage(dst, raw []byte, flatten bool) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	dst = append(dst, '{')
	mark := len(dst)
	var thought thoughts
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if thought.take(key, val) || rawjson.IsNull(val) && string(key) != "content" {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), key...), '"', ':')
		var err error
		if dst, err = a.appendMember(dst, key, val, flatten); err != nil {
			return dst, err
		}
	}
	dst = thought.append(dst, a.profile.history)
	return append(dst, '}'), nil
}

func (a *Adapter) appendMember(dst, key, val []byte, flatten bool) ([]byte, error) {
	switch {
	case string(key) == "role" && a.profile.systemOnly && string(val) == `"developer"`:
		return append(dst, `"system"`...), nil
	case string(key) == "content" && val[0] == '[':
		if flatten {
			return appendFlat(dst, val), nil
		}
		return a.appendParts(dst, val)
	}
	return append(dst, val...), nil
}

// appendFlat joins text parts with line ends.
func appendFlat(dst, parts []byte) []byte {
	var c rawjson.Cursor
	c.Reset(parts)
	dst = append(dst, '"')
	n := 0
	for c.Array(); c.Elem(); {
		text := rawjson.Inner(chat.Member(c.Raw(), "text"))
		if text == nil {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, '\\', 'n')
		}
		dst = append(dst, text...)
	}
	return append(dst, '"')
}

// appendParts copies parts, less cache_control where the server would refuse it.
func (a *Adapter) appendParts(dst, parts []byte) ([]byte, error) {
	var c rawjson.Cursor
	c.Reset(parts)
	c.Array()
	dst = append(dst, '[')
	for n := 0; c.Elem(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		part := c.Raw()
		if a.profile.dataImages && remoteImage(part) {
			return dst, fault.New(fault.InvalidRequest, "This model takes images as data: URLs only")
		}
		if a.profile.keepCache {
			dst = append(dst, part...)
			continue
		}
		dst = appendWithout(dst, part, "cache_control")
	}
	return append(dst, ']'), nil
}

func remoteImage(part []byte) bool {
	img := chat.Member(part, "image_url")
	if len(img) > 0 && img[0] == '{' {
		img = chat.Member(img, "url")
	}
	return len(img) > 0 && !bytes.HasPrefix(img, []byte(`"data:`))
}

// appendWithout copies an object less one member.
func appendWithout(dst, obj []byte, name string) []byte {
	if !bytes.Contains(obj, []byte(name)) {
		return append(dst, obj...)
	}
	var c rawjson.Cursor
	c.Reset(obj)
	c.Object()
	dst = append(dst, '{')
	mark := len(dst)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		val := c.Raw()
		if string(key) == name {
			continue
		}
		if len(dst) > mark {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), key...), '"', ':')
		dst = append(dst, val...)
	}
	return append(dst, '}')
}
