package messages

import (
	"encoding/base64"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func kindOf(block []byte) string { return string(rawjson.Inner(chat.Member(block, "type"))) }

// bare reports whether a text block has nothing but its text.
func bare(block []byte) bool {
	for _, name := range []string{"cache_control", "citations"} {
		if !rawjson.IsNull(chat.Member(block, name)) {
			return false
		}
	}
	return true
}

// check holds a content block to its shape.
func check(path string, block []byte) error {
	if block[0] != '{' {
		return invalid("%s: must be an object with a type", path)
	}
	need := func(name string, ok bool, what string) error {
		if !ok {
			return invalid("%s.%s: required, %s", path, name, what)
		}
		return nil
	}
	switch kind := kindOf(block); kind {
	case "":
		return need("type", false, "a string")
	case "text":
		return need("text", canonical.IsString(chat.Member(block, "text")), "a string")
	case "thinking":
		return need("thinking", canonical.IsString(chat.Member(block, "thinking")), "a string")
	case "redacted_thinking":
		return need("data", canonical.IsText(chat.Member(block, "data")), "a string")
	case "tool_use":
		if err := need("id", canonical.IsText(chat.Member(block, "id")), "a string"); err != nil {
			return err
		}
		input := inputOf(block)
		if input[0] != '{' {
			return need("input", false, "an object")
		}
		return need("name", canonical.IsText(chat.Member(block, "name")), "a string")
	case "image", "document":
		source := chat.Member(block, "source")
		return need("source", len(source) > 0 && source[0] == '{', "an object")
	}
	return nil
}

// part writes a block as a content part. Blocks that chat completions have no
// word for go on as they are, to endpoints that know them.
func (w *writer) part(path string, block []byte) error {
	switch kindOf(block) {
	case "text":
		w.Put(`{"type":"text","text":`)
		w.Raw(chat.Member(block, "text"))
		w.Sibling("citations", chat.Member(block, "citations"))
		w.Sibling("cache_control", chat.Member(block, "cache_control"))
		w.Put(`}`)
	case "image":
		return w.image(path, block)
	case "document":
		return w.document(path, block)
	default:
		if chat.Foreign(block) && chat.ForeignText(block) == nil {
			w.omitted = append(w.omitted, "messages."+kindOf(block))
		}
		w.Raw(block)
	}
	return nil
}

func (w *writer) image(path string, block []byte) error {
	source := chat.Member(block, "source")
	switch kindOf(source) {
	case "base64", "url":
		w.Put(`{"type":"image_url","image_url":{"url":`)
		if err := w.url(path, source); err != nil {
			return err
		}
		w.Put(`}`)
		w.Sibling("cache_control", chat.Member(block, "cache_control"))
		w.Put(`}`)
	default:
		w.Raw(block) // an uploaded file
	}
	return nil
}

// url writes where a source's bytes are as one literal.
func (w *writer) url(path string, source []byte) error {
	if url := chat.Member(source, "url"); canonical.IsText(url) {
		w.Raw(url)
		return nil
	}
	mediaType, data := rawjson.Inner(chat.Member(source, "media_type")), rawjson.Inner(chat.Member(source, "data"))
	if len(mediaType) == 0 || len(data) == 0 {
		return invalid("%s: a source of type base64 needs media_type and data, one of type url needs url", path)
	}
	w.Put(`"data:`)
	w.Raw(mediaType)
	w.Put(`;base64,`)
	w.Raw(data)
	w.Put(`"`)
	return nil
}

func (w *writer) document(path string, block []byte) error {
	source := chat.Member(block, "source")
	kind := kindOf(source)
	if kind != "base64" && kind != "url" && kind != "text" {
		w.Raw(block) // made of blocks, or an uploaded file
		return nil
	}
	name := chat.Member(block, "title")
	switch {
	case canonical.IsText(name):
	case kind == "text":
		name = []byte(`"` + anthropic.UntitledText + `"`)
	default:
		name = []byte(`"` + anthropic.UntitledPDF + `"`)
	}
	w.Put(`{"type":"file","file":{"filename":`)
	w.Raw(name)
	w.Put(`,"file_data":`)
	if kind == "text" {
		w.text(rawjson.Unquote(nil, chat.Member(source, "data")))
	} else if err := w.url(path, source); err != nil {
		return err
	}
	w.Put(`}`)
	for _, own := range []string{"context", "citations", "cache_control"} {
		w.Sibling(own, chat.Member(block, own))
	}
	w.Put(`}`)
	return nil
}

// text writes plain text as a data: URL.
func (w *writer) text(text []byte) {
	w.Put(`"data:text/plain;base64,`)
	w.Buf = base64.StdEncoding.AppendEncode(w.Buf, text)
	w.Put(`"`)
}
