// Package tokens counts the tokens of a request without its provider, for APIs
// that ask for the number only. It counts with OpenAI's o200k vocabulary, which
// is close to those of other families: for text within a tenth or so.
package tokens

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/pkoukk/tiktoken-go"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const (
	// perMessage is what a message costs beside its text.
	perMessage = 4
	// perMedia stands for a picture, a sound or a file whose size in tokens only
	// its provider knows.
	perMedia = 1000
)

// Counter counts tokens. Its vocabulary, which is in the binary, is unpacked by
// the first request.
type Counter struct {
	load  sync.Once
	codec *tiktoken.Tiktoken
	err   error
}

func (c *Counter) unpack() {
	tiktoken.SetBpeLoader(vocabulary{})
	c.codec, c.err = tiktoken.GetEncoding(tiktoken.MODEL_O200K_BASE)
}

// Count returns the number of prompt tokens of a request: its messages and its
// tools. The error is about the vocabulary.
func (c *Counter) Count(r *chat.Request) (int64, error) {
	if c.load.Do(c.unpack); c.err != nil {
		return 0, fmt.Errorf("unpack the vocabulary: %w", c.err)
	}
	var text bytes.Buffer
	var n int64
	for message := range rawjson.Elements(r.Messages) {
		n += perMessage
		n += collect(&text, message)
	}
	if tools := r.Raw(chat.Tools); tools != nil {
		text.Write(tools) // names, descriptions and schemas, as a model reads them
	}
	return n + c.estimate(text.Bytes()), nil
}

// Rough estimates the tokens of a prompt from its bytes, without the vocabulary:
// messages, or the input of embeddings, as JSON. Pictures, sounds and files count
// as such and not as the text they are encoded in.
func Rough(prompt []byte) int64 {
	var text bytes.Buffer
	var n int64
	for element := range rawjson.Elements(prompt) {
		switch element[0] {
		case '{':
			n += collect(&text, element)
		case '[': // the ids of a text's tokens
			for range rawjson.Elements(element) {
				n++
			}
		case '"':
			text.Write(element)
		default: // such an id
			n++
		}
	}
	if len(prompt) > 0 && prompt[0] == '"' {
		text.Write(prompt)
	}
	return n + FromBytes(text.Len())
}

// OfPrompt estimates the prompt tokens of a request by its size, and how many of
// them an earlier request of the conversation had. Only where there are pictures,
// sounds or files in it does it look at the messages.
func OfPrompt(r *chat.Request) (prompt, sent int64) {
	messages := FromBytes(len(r.Messages))
	if r.Has&(chat.Media|chat.HasResultMedia) != 0 {
		messages = Rough(r.Messages)
	}
	tools := FromBytes(len(r.Raw(chat.Tools)))
	if r.Opening.Sent > 0 {
		sent = tools + messages*int64(r.Opening.Sent)/int64(len(r.Messages))
	}
	return tools + messages, sent
}

// Images counts the images in messages.
func Images(messages []byte) (n int64) {
	for message := range rawjson.Elements(messages) {
		content := chat.Member(message, "content")
		if len(content) == 0 || content[0] != '[' {
			continue
		}
		for part := range rawjson.Elements(content) {
			if string(chat.Member(part, "type")) == `"image_url"` {
				n++
			}
		}
	}
	return n
}

// FromBytes estimates how many tokens a text of so many bytes has: one for about
// four in English.
func FromBytes(n int) int64 { return int64(n+3) / 4 }

// sample is how much text is counted: a megabyte would keep a core busy for
// seconds. The rest is taken to be alike.
const sample = 128 << 10

// estimate counts a text, of a long one the beginning and the end.
func (c *Counter) estimate(text []byte) int64 {
	if len(text) <= sample {
		return int64(len(c.codec.EncodeOrdinary(string(text))))
	}
	half := sample / 2
	counted := len(c.codec.EncodeOrdinary(string(text[:half]))) + len(c.codec.EncodeOrdinary(string(text[len(text)-half:])))
	return int64(counted) * int64(len(text)) / sample
}

// collect writes all text of a message and returns the tokens of the rest.
func collect(text *bytes.Buffer, message []byte) (rest int64) {
	for key, val := range rawjson.Members(message) {
		switch string(key) {
		case "role", "tool_call_id", "cache_control":
		case "content":
			rest += content(text, val)
		case "tool_calls":
			for call := range rawjson.Elements(val) {
				function := chat.Member(call, "function")
				write(text, chat.Member(function, "name"))
				write(text, chat.Member(function, "arguments"))
			}
		case "reasoning_details":
			for detail := range rawjson.Elements(val) {
				write(text, chat.Member(detail, "text"))
				write(text, chat.Member(detail, "summary"))
			}
		default:
			write(text, val)
		}
	}
	return rest
}

// content writes the text of a message's content.
func content(text *bytes.Buffer, val []byte) (rest int64) {
	if len(val) > 0 && val[0] == '"' {
		write(text, val)
		return 0
	}
	for part := range rawjson.Elements(val) {
		if words := chat.Member(part, "text"); words != nil {
			write(text, words)
			continue
		}
		rest += perMedia
	}
	return rest
}

// write adds a string literal's text.
func write(text *bytes.Buffer, literal []byte) {
	if len(literal) > 2 && literal[0] == '"' {
		text.Write(rawjson.Unquote(nil, literal))
		text.WriteByte('\n')
	}
}
