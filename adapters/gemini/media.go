package gemini

import (
	"bytes"
	"path"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendMedia appends an image, sound, film or document as inlineData, or as
// fileData where Google fetches it.
func appendMedia(dst []byte, p *chat.Part, f family) ([]byte, error) {
	switch p.Type {
	case chat.PartAudio:
		return appendAudio(dst, p)
	case chat.PartImage, chat.PartVideo, chat.PartFile:
		if p.URL == nil {
			return dst, invalid("a part of type %s needs a URL or a data: URL here; uploaded files are not known to this model", p.Kind)
		}
		return appendURL(dst, p, rawjson.Unquote(nil, p.URL), f)
	default:
		return dst, invalid("a part of type %s is not taken by this model", p.Kind)
	}
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidRequest, format, args...)
}

func appendAudio(dst []byte, p *chat.Part) ([]byte, error) {
	format := rawjson.Unquote(nil, p.Format)
	if len(format) == 0 || len(p.Data) <= 2 || bytes.ContainsAny(format, "\"\\/; ") {
		return dst, invalid("input_audio needs data and a format, like wav or mp3")
	}
	dst = append(append(dst, `{"inlineData":{"mimeType":"audio/`...), format...)
	return append(append(append(dst, `","data":`...), p.Data...), '}', '}'), nil
}

func appendURL(dst []byte, p *chat.Part, url []byte, f family) ([]byte, error) {
	if data, ok := bytes.CutPrefix(url, []byte("data:")); ok {
		return appendData(dst, data)
	}
	scheme, rest, ok := bytes.Cut(url, []byte("://"))
	if !ok {
		return dst, invalid("must be a data: URL or an https URL")
	}
	if stored(url) {
		return appendFile(dst, url, ""), nil // Google knows the type of what it has
	}
	if string(scheme) != "https" || !f.fetches() {
		return dst, invalid("this model takes %s as data: URLs only", noun(p.Type))
	}
	return appendFile(dst, url, mimeOf(string(rest), p)), nil
}

// stored reports whether a URL is one of Google's own, which all models take.
func stored(url []byte) bool {
	for _, prefix := range []string{
		"gs://", "https://generativelanguage.googleapis.com/", "https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/",
	} {
		if bytes.HasPrefix(url, []byte(prefix)) {
			return true
		}
	}
	return false
}

func noun(t chat.PartType) string {
	switch t {
	case chat.PartImage:
		return "images"
	case chat.PartVideo:
		return "videos"
	default:
		return "files"
	}
}

// appendData appends what follows "data:" as inlineData.
func appendData(dst, data []byte) ([]byte, error) {
	head, body, ok := bytes.Cut(data, []byte(","))
	mime, params, _ := bytes.Cut(head, []byte(";"))
	if !ok || !bytes.HasSuffix(params, []byte("base64")) || !bytes.Contains(mime, []byte("/")) || len(body) == 0 {
		return dst, invalid("a data: URL must read data:<media type>;base64,<data>")
	}
	if string(mime) == "image/jpg" {
		mime = []byte("image/jpeg") // a common slip that Google refuses
	}
	dst = rawjson.AppendString(append(dst, `{"inlineData":{"mimeType":`...), mime)
	dst = rawjson.AppendString(append(dst, `,"data":`...), body)
	return append(dst, '}', '}'), nil
}

func appendFile(dst, url []byte, mime string) []byte {
	dst = rawjson.AppendString(append(dst, `{"fileData":{"fileUri":`...), url)
	if mime != "" {
		dst = rawjson.AppendString(append(dst, `,"mimeType":`...), mime)
	}
	return append(dst, '}', '}')
}

// mimeOf guesses the media type of a URL by its path, by the file's name, and
// in the end by what the part is.
func mimeOf(url string, p *chat.Part) string {
	url, _, _ = strings.Cut(url, "?")
	url, _, _ = strings.Cut(url, "#")
	for _, name := range []string{url, rawjson.Text(p.Filename)} {
		if mime := mimeByName(name); mime != "" {
			return mime
		}
	}
	switch p.Type {
	case chat.PartImage:
		return "image/jpeg"
	case chat.PartVideo:
		return "video/mp4"
	default:
		return "application/pdf"
	}
}

func mimeByName(name string) string {
	switch ext := strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")); ext {
	case "png", "webp", "heic", "heif", "gif", "jpeg", "bmp":
		return "image/" + ext
	case "jpg":
		return "image/jpeg"
	case "pdf", "json":
		return "application/" + ext
	case "mp4", "mpeg", "webm", "wmv":
		return "video/" + ext
	case "mov":
		return "video/quicktime"
	case "mp3", "wav", "aac", "ogg", "flac", "aiff":
		return "audio/" + ext
	case "html", "css", "csv", "xml":
		return "text/" + ext
	case "txt", "md":
		return "text/plain"
	}
	return ""
}
