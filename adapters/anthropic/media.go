package anthropic

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendPart appends a content part as a block, without the closing brace, so
// that cache_control can follow.
func (d *draft) appendPart(dst []byte, p *chat.Part) ([]byte, error) {
	switch p.Type {
	case chat.PartImage:
		return d.appendImage(dst, p)
	case chat.PartFile:
		return d.appendFile(dst, p)
	case chat.PartAudio:
		return dst, invalid("This model does not take audio input")
	case chat.PartVideo:
		return dst, invalid("This model does not take video input")
	case chat.PartText, chat.PartRefusal:
		dst = append(append(dst, `{"type":"text","text":`...), p.Text...)
		return appendSibling(dst, p.Raw, "citations"), nil
	case chat.PartOther:
	}
	if !nativeBlock(string(rawjson.Inner(p.Kind))) {
		return dst, invalid("This model does not take content parts of type %s", p.Kind)
	}
	return appendOpen(dst, p.Raw), nil
}

// inputs are the media that the model takes. No Claude takes audio or video;
// one that sees takes documents, too.
func (a *Adapter) inputs() chat.Feature {
	in := a.settings.Inputs & (chat.HasImage | chat.HasFile)
	if in&chat.HasImage != 0 {
		in |= chat.HasFile
	}
	return in
}

// nativeBlock reports block types of the Messages API that chat completions
// have no word for. A client that sends one means this API.
func nativeBlock(kind string) bool {
	switch kind {
	case "image", "document", "search_result", "container_upload", "server_tool_use", "mcp_tool_use", "mcp_tool_result", "tool_reference", "compaction":
		return true
	}
	return strings.HasSuffix(kind, "_tool_result")
}

// appendOpen copies an object without its closing brace and its cache_control.
func appendOpen(dst, obj []byte) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for key, val := range rawjson.Members(obj) {
		if string(key) == "cache_control" {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(append(append(append(dst, '"'), key...), '"', ':'), val...)
	}
	return dst
}

// appendSibling copies one member of a client's object.
func appendSibling(dst, obj []byte, name string) []byte {
	val := chat.Member(obj, name)
	if rawjson.IsNull(val) {
		return dst
	}
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	return append(dst, val...)
}

func (d *draft) appendImage(dst []byte, p *chat.Part) ([]byte, error) {
	if d.a.settings.Inputs&chat.HasImage == 0 {
		return dst, invalid("This model does not take image input")
	}
	dst = append(dst, `{"type":"image","source":`...)
	src, err := sourceOf(p.URL, "image_url.url")
	if err != nil {
		return dst, err
	}
	if src.data == nil {
		return src.append(dst), nil
	}
	if src.mediaType == "image/jpg" {
		src.mediaType = "image/jpeg"
	}
	switch src.mediaType {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return src.append(dst), nil
	}
	return dst, invalid("image_url.url: images of type %q are not taken; allowed are image/jpeg, image/png, image/gif and image/webp", src.mediaType)
}

// appendFile appends a PDF or a plain text as a document.
func (d *draft) appendFile(dst []byte, p *chat.Part) ([]byte, error) {
	if p.URL == nil {
		return dst, invalid("file.file_data: required; uploaded files (file_id) are not known to this model's provider")
	}
	src, err := sourceOf(p.URL, "file.file_data")
	if err != nil {
		return dst, err
	}
	if src.data != nil && strings.HasPrefix(src.mediaType, "text/") {
		return appendTextFile(dst, p, src)
	}
	if d.a.settings.Inputs&(chat.HasFile|chat.HasImage) == 0 {
		return dst, invalid("This model does not take file input")
	}
	if src.data != nil && src.mediaType != "application/pdf" {
		return dst, invalid("file.file_data: files of type %q are not taken; allowed are application/pdf and text", src.mediaType)
	}
	dst = src.append(append(dst, `{"type":"document","source":`...))
	return appendDocumentRest(dst, p), nil
}

func appendTextFile(dst []byte, p *chat.Part, src source) ([]byte, error) {
	text := make([]byte, base64.StdEncoding.DecodedLen(len(src.data)))
	n, err := base64.StdEncoding.Decode(text, src.data)
	if err != nil {
		return dst, invalid("file.file_data: not valid base64")
	}
	dst = append(dst, `{"type":"document","source":{"type":"text","media_type":"text/plain","data":`...)
	dst = append(rawjson.AppendString(dst, text[:n]), '}')
	return appendDocumentRest(dst, p), nil
}

// UntitledPDF and UntitledText are the file names of documents without a
// title: OpenAI-compatible servers want one.
const (
	UntitledPDF  = "document.pdf"
	UntitledText = "document.txt"
)

// appendDocumentRest appends the title and, beside the part's own members,
// those of a document that came in Anthropic's form.
func appendDocumentRest(dst []byte, p *chat.Part) []byte {
	switch name := string(rawjson.Inner(p.Filename)); name {
	case "", UntitledPDF, UntitledText:
	default:
		dst = append(append(dst, `,"title":`...), p.Filename...)
	}
	return appendSibling(appendSibling(dst, p.Raw, "context"), p.Raw, "citations")
}

// source is where an image's or a document's bytes are.
type source struct {
	// url is a literal.
	url []byte
	// data is base64 text without quotes, nil for a URL.
	data      []byte
	mediaType string
}

// sourceOf takes a URL apart. The base64 text is not copied: it can be large.
func sourceOf(literal []byte, field string) (source, error) {
	text := rawjson.Unquote(nil, literal)
	switch {
	case bytes.HasPrefix(text, []byte("https://")):
		return source{url: literal}, nil
	case !bytes.HasPrefix(text, []byte("data:")):
		return source{}, invalid("%s: must be an https: or a data: URL", field)
	}
	head, data, found := bytes.Cut(text[len("data:"):], []byte(","))
	mediaType, encoded := strings.CutSuffix(string(head), ";base64")
	if !found || !encoded {
		return source{}, invalid("%s: a data: URL must look like data:<type>;base64,<data>", field)
	}
	if !isBase64(data) {
		return source{}, invalid("%s: not valid base64", field)
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return source{data: data, mediaType: strings.ToLower(strings.TrimSpace(mediaType))}, nil
}

// isBase64 checks the alphabet: what passes can be put into a literal unchanged.
func isBase64(data []byte) bool {
	for _, ch := range data {
		if (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && (ch < '0' || ch > '9') && ch != '+' && ch != '/' && ch != '=' {
			return false
		}
	}
	return true
}

func (s source) append(dst []byte) []byte {
	if s.data == nil {
		dst = append(append(dst, `{"type":"url","url":`...), s.url...)
		return append(dst, '}')
	}
	dst = append(append(dst, `{"type":"base64","media_type":`...), rawjson.AppendString(nil, s.mediaType)...)
	dst = append(append(dst, `,"data":"`...), s.data...)
	return append(dst, '"', '}')
}
