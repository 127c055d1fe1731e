package bedrock

import (
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// block writes one content block.
func (d *draft) block(b []byte) error {
	switch kind := rawjson.Inner(chat.Member(b, "type")); string(kind) {
	case "text":
		d.put(`{"text":`).raw(chat.Member(b, "text")).put(`}`)
	case "image":
		return d.image(b)
	case "document":
		return d.document(b)
	case "thinking":
		d.put(`{"reasoningContent":{"reasoningText":{"text":`).raw(chat.Member(b, "thinking")).put(`,"signature":`).raw(chat.Member(b, "signature")).put(`}}}`)
	case "redacted_thinking":
		d.put(`{"reasoningContent":{"redactedContent":`).raw(chat.Member(b, "data")).put(`}}`)
	case "tool_use":
		d.put(`{"toolUse":{"toolUseId":`).raw(chat.Member(b, "id")).put(`,"name":`).raw(chat.Member(b, "name")).put(`,"input":`).raw(chat.Member(b, "input")).put(`}}`)
	case "tool_result":
		return d.result(b)
	default:
		return invalid("This model's provider does not take content blocks of type %s", kind)
	}
	return nil
}

func (d *draft) result(b []byte) error {
	d.put(`{"toolResult":{"toolUseId":`).raw(chat.Member(b, "tool_use_id")).put(`,"content":`)
	content := chat.Member(b, "content")
	if len(content) <= 2 { // nothing, which Converse wants as a text
		content = []byte(`"(no output)"`)
	}
	if err := d.content(content); err != nil {
		return err
	}
	if string(chat.Member(b, "is_error")) == "true" {
		d.put(`,"status":"error"`)
	}
	d.put(`}}`)
	return nil
}

// image writes an image. Converse takes bytes, no addresses.
func (d *draft) image(b []byte) error {
	source := chat.Member(b, "source")
	format, found := strings.CutPrefix(rawjson.Text(chat.Member(source, "media_type")), "image/")
	if !found || string(chat.Member(source, "type")) != `"base64"` {
		return invalid("This model takes images as data: URLs only")
	}
	d.put(`{"image":{"format":"`).put(format).put(`","source":{"bytes":`).raw(chat.Member(source, "data")).put(`}}}`)
	return nil
}

// document writes a PDF or a text. Names of documents may hold letters, digits
// and little else.
func (d *draft) document(b []byte) error {
	source := chat.Member(b, "source")
	d.files++
	name := cleanName(rawjson.Text(chat.Member(b, "title")))
	if name == "" {
		name = "document " + strconv.Itoa(d.files)
	}
	var format, key string
	switch kind := rawjson.Text(chat.Member(source, "type")); kind {
	case "base64":
		format, key = "pdf", "bytes"
	case "text":
		format, key = "txt", "text"
	default:
		return invalid("This model takes files as data: URLs only")
	}
	d.put(`{"document":{"format":"`).put(format).put(`","name":"`).put(name).put(`","source":{"`).put(key).put(`":`).raw(chat.Member(source, "data")).put(`}}}`)
	return nil
}

// cleanName keeps what Converse allows in a name: letters, digits, single
// blanks, hyphens, parentheses and brackets.
func cleanName(title string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
			return r
		}
		return ' '
	}, title)
	const longest = 200
	kept = strings.Join(strings.Fields(kept), " ")
	return kept[:min(len(kept), longest)]
}
