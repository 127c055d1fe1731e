package chat

import (
	"slices"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// ImageNote is the text in the place of an image that the assistant made, for a
// model that cannot take it back: the inside of a literal.
const ImageNote = `[The assistant made an image here, which this model cannot see]`

// ForeignNote is the text of an answer of which nothing else is left: the inside
// of a literal.
const ForeignNote = `[The assistant used a tool of its provider here]`

// IsMedia reports whether a content part is an image, sound, a video or a file.
func IsMedia(part []byte) bool { return partOf(Member(part, "type")).feature()&Media != 0 }

// WithImageNote returns a message's content with that text at its end.
func WithImageNote(content []byte) []byte {
	const quoted = `"` + ImageNote + `"`
	switch {
	case len(content) > 2 && content[0] == '"':
		return slices.Concat(content[:len(content)-1], []byte(`\n\n`+ImageNote+`"`))
	case len(content) > 2 && content[0] == '[':
		return slices.Concat(content[:len(content)-1], []byte(`,{"type":"text","text":`+quoted+`}]`))
	}
	return []byte(quoted)
}

// MediaNote returns what replaces a part of a tool's result that
// a model with these inputs cannot take, a literal; nil if it can. A refusal
// would end a conversation that the user did not even put the part into.
func MediaNote(part []byte, inputs Feature) Literal {
	f := partOf(Member(part, "type")).feature() & Media
	if f&^inputs == 0 {
		return nil
	}
	var name string
	switch f {
	case HasImage:
		name = "image"
	case HasAudio:
		name = "audio"
	case HasVideo:
		name = "video"
	default:
		name = "file"
	}
	return rawjson.AppendString(nil, "[The tool returned "+name+" content, which this model cannot take]")
}
