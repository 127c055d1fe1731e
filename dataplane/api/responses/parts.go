package responses

import (
	"fmt"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// parts returns a message's content in the canonical form: one text as a
// string, which every server takes, anything more as an array of parts.
func (c *conversation) parts(path string, content []byte) ([]byte, error) {
	switch {
	case canonical.IsString(content):
		return content, nil
	case len(content) == 0 || content[0] != '[':
		return nil, invalid("%s: must be a string or an array of parts", path)
	}
	var list [][]byte
	var only []byte // the text, as long as there is no other part
	i := 0
	for part := range rawjson.Elements(content) {
		at := fmt.Sprintf("%s[%d]", path, i)
		i++
		if part[0] != '{' {
			return nil, invalid("%s: must be an object with a type", at)
		}
		out, text, err := c.part(at, part)
		if err != nil {
			return nil, err
		}
		if out != nil {
			list, only = append(list, out), text
		}
	}
	switch {
	case len(list) == 0:
		return []byte(`""`), nil
	case len(list) == 1 && only != nil:
		return only, nil
	}
	joined := []byte{'['}
	for i, part := range list {
		if i > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, part...)
	}
	return append(joined, ']'), nil
}

// part returns the canonical part, and its text if it is nothing but text.
func (c *conversation) part(path string, part []byte) (out, text []byte, err error) {
	switch kind := kindOf(part); kind {
	case "input_text", "output_text", "text", "summary_text", "reasoning_text":
		text = chat.Member(part, "text")
		if !canonical.IsString(text) {
			return nil, nil, invalid("%s.text: required, a string", path)
		}
		return append(append([]byte(`{"type":"text","text":`), text...), '}'), text, nil
	case "refusal":
		text = chat.Member(part, "refusal")
		if !canonical.IsString(text) {
			return nil, nil, invalid("%s.refusal: required, a string", path)
		}
		return append(append([]byte(`{"type":"text","text":`), text...), '}'), text, nil
	case "input_image":
		out, err = image(path, part)
		return out, nil, err
	case "input_file":
		out, err = file(path, part)
		return out, nil, err
	case "input_audio":
		return part, nil, nil
	case "":
		return nil, nil, invalid("%s.type: required, a string", path)
	default:
		c.r.dropped = append(c.r.dropped, "input."+kind)
		return nil, nil, nil
	}
}

func image(path string, part []byte) ([]byte, error) {
	url := chat.Member(part, "image_url")
	if !canonical.IsText(url) {
		return nil, invalid("%s.image_url: required, a URL; uploaded files (file_id) are not supported", path)
	}
	w := writer{}
	w.Put(`{"type":"image_url","image_url":{"url":`)
	w.Raw(url)
	w.Sibling("detail", chat.Member(part, "detail"))
	w.Put(`}}`)
	return w.Buf, nil
}

func file(path string, part []byte) ([]byte, error) {
	data := chat.Member(part, "file_data")
	if !canonical.IsText(data) {
		data = chat.Member(part, "file_url")
	}
	if !canonical.IsText(data) {
		return nil, invalid("%s: needs file_data or file_url; uploaded files (file_id) are not supported", path)
	}
	name := chat.Member(part, "filename")
	if !canonical.IsText(name) {
		name = []byte(`"file"`)
	}
	w := writer{}
	w.Put(`{"type":"file","file":{"filename":`)
	w.Raw(name)
	w.Sibling("file_data", data)
	w.Put(`}}`)
	return w.Buf, nil
}
