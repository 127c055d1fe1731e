package transcriptions

import (
	"bytes"
	"math"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// answer implements codec.Decoder: an upstream's answer in any of the formats,
// a stream of OpenAI's events, or of vLLM's chunks.
type answer struct {
	adapter codec.Adapter
	format  string
	// body is a unary answer; text what was said, as the inside of a literal.
	body, text []byte
	usage      chat.Usage
	finished   bool
}

// Body implements codec.Decoder.
func (a *answer) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	trimmed := bytes.TrimSpace(body)
	object := rawjson.Valid(trimmed) == nil && trimmed[0] == rawjson.Object
	if object && isError(trimmed) {
		return out, a.adapter.Fault(0, trimmed)
	}
	ev := chat.Event{Finish: chat.FinishStop, Done: true, Usage: &a.usage}
	switch text := chat.Member(trimmed, "text"); {
	case object && len(text) > 0 && text[0] == '"':
		a.body = append(a.body[:0], trimmed...)
		if a.format == "text" { // vLLM answers with JSON all the same
			a.body = append(rawjson.Unquote(a.body[:0], text), '\n')
		}
		ev.Content = append(chat.Literal(nil), text...)
		a.usage = usageOf(trimmed)
	case a.format == "text", a.format == "srt", a.format == "vtt":
		a.body = append(a.body[:0], body...)
		ev.Content = rawjson.AppendString(nil, body)
	default:
		return out, fault.New(fault.Unavailable, "The upstream's answer has no text")
	}
	a.text = append(a.text[:0], rawjson.Inner(ev.Content)...)
	if a.usage.Zero() {
		a.estimate()
	}
	return append(out, ev), nil
}

func isError(object []byte) bool {
	return !rawjson.IsNull(chat.Member(object, "error")) || !rawjson.IsNull(chat.Member(object, "detail"))
}

// Event implements codec.Decoder.
func (a *answer) Event(_, data []byte, out []chat.Event) ([]chat.Event, error) {
	if string(data) == "[DONE]" {
		return append(out, chat.Event{Finish: chat.FinishStop, Done: true}), nil
	}
	if rawjson.Valid(data) != nil || data[0] != rawjson.Object {
		return out, fault.New(fault.Unavailable, "The upstream sent an event that is not a JSON object")
	}
	kind := rawjson.Text(chat.Member(data, "type"))
	if isError(data) || kind == "error" {
		return out, a.adapter.Fault(0, data)
	}
	ev := chat.Event{Usage: &a.usage}
	if kind != "" {
		a.event(kind, data, &ev)
	} else {
		a.chunk(data, &ev)
	}
	a.text = append(a.text, rawjson.Inner(ev.Content)...)
	if u := usageOf(data); !u.Zero() {
		a.usage = u
	} else if a.usage.Zero() || a.usage.Estimated {
		a.estimate()
	}
	return append(out, ev), nil
}

// event reads one of OpenAI's events.
func (a *answer) event(kind string, data []byte, ev *chat.Event) {
	ev.Raw = data
	switch kind {
	case "transcript.text.delta":
		ev.Content = literal(chat.Member(data, "delta"))
	case "transcript.text.done":
		a.finished = true
		ev.Finish, ev.Done = chat.FinishStop, true
		if len(a.text) == 0 {
			ev.Content = literal(chat.Member(data, "text"))
		}
	}
}

// chunk reads one of vLLM's, which are those of chats.
func (a *answer) chunk(data []byte, ev *chat.Event) {
	for choice := range rawjson.Elements(chat.Member(data, "choices")) {
		ev.Content = literal(chat.Member(chat.Member(choice, "delta"), "content"))
		if finish := chat.Member(choice, "finish_reason"); !rawjson.IsNull(finish) {
			a.finished = true
		}
		return
	}
}

// EOF implements codec.Decoder.
func (a *answer) EOF(out []chat.Event) ([]chat.Event, error) {
	if !a.finished {
		return out, fault.New(fault.Unavailable, "The upstream's answer is cut short")
	}
	return append(out, chat.Event{Finish: chat.FinishStop, Done: true}), nil
}

func literal(raw []byte) chat.Literal {
	if len(raw) > 0 && raw[0] == '"' {
		return raw
	}
	return nil
}

// usageOf reads the tokens that an upstream tells, or the seconds: each counts as
// a token of sound.
func usageOf(object []byte) (u chat.Usage) {
	usage := chat.Member(object, "usage")
	for _, f := range []struct {
		into *int64
		raw  []byte
	}{
		{&u.Prompt, chat.Member(usage, "input_tokens")},
		{&u.Prompt, chat.Member(usage, "prompt_tokens")},
		{&u.Completion, chat.Member(usage, "output_tokens")},
		{&u.Completion, chat.Member(usage, "completion_tokens")},
		{&u.PromptAudio, chat.Member(chat.Member(usage, "input_token_details"), "audio_tokens")},
		{&u.PromptAudio, chat.Member(chat.Member(usage, "prompt_tokens_details"), "audio_tokens")},
	} {
		if n := chat.Tokens(f.raw); n > 0 {
			*f.into = n
		}
	}
	if !u.Zero() {
		return u
	}
	for _, raw := range [][]byte{chat.Member(usage, "seconds"), chat.Member(object, "duration")} {
		if s := seconds(raw); s > 0 {
			u.Prompt, u.PromptAudio = s, s
			break
		}
	}
	return u
}

// seconds reads a duration, some servers' as text, and rounds it up.
func seconds(raw []byte) int64 {
	if len(raw) > 0 && raw[0] == '"' {
		raw = rawjson.Inner(raw)
	}
	s, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(s > 0) {
		return 0
	}
	return int64(math.Ceil(min(s, maxSeconds)))
}

const (
	maxSeconds = 1 << 30
	// bytesPerSecond is about how much is said in a second.
	bytesPerSecond = 15
)

// estimate counts the seconds of a text whose upstream has not counted: up to the
// last time in subtitles, else as long as it takes to say.
func (a *answer) estimate() {
	s := int64(0)
	if a.format == "srt" || a.format == "vtt" {
		s = lastTime(a.body)
	}
	if s == 0 {
		s = int64(len(a.text)+bytesPerSecond-1) / bytesPerSecond
	}
	a.usage = chat.Usage{Prompt: s, PromptAudio: s, Estimated: true}
}

// lastTime returns the seconds at which the last of the subtitles ends, rounded
// up: "00:00:01,000 --> 00:00:04,200", in WebVTT with a point, and the hours may
// be left out.
func lastTime(subtitles []byte) int64 {
	i := bytes.LastIndex(subtitles, []byte("-->"))
	if i < 0 {
		return 0
	}
	text := bytes.TrimLeft(subtitles[i+3:], " ")
	if end := bytes.IndexAny(text, " \r\n"); end >= 0 {
		text = text[:end]
	}
	total := 0.0
	for part := range bytes.SplitSeq(bytes.Replace(text, []byte(","), []byte("."), 1), []byte(":")) {
		n, err := strconv.ParseFloat(string(part), 64)
		if err != nil || !(n >= 0) {
			return 0
		}
		total = total*60 + n
	}
	return int64(math.Ceil(min(total, maxSeconds)))
}
