package chat

import "github.com/hybridinference/gateway/shared/rawjson"

// MediaNote returns what stands in the place of a part of a tool's result that
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
