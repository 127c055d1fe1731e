package provider

import (
	"fmt"
	"strings"
)

// turn is what the model says.
type turn struct {
	thought, text string
	call          bool
}

func (t turn) finish() string {
	if t.call {
		return "tool_calls"
	}
	return "stop"
}

// counts are the tokens of every answer: 120 in (40 of them cached), 30 out (12 of them thoughts).
const counts = `{"prompt_tokens":120,"completion_tokens":30,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":12}}`

const arguments = `{\"city\":\"Oslo\"}`

// members are what a delta or message says of a thought. Where a server
// splits nothing, thoughts are part of the text.
func (d dialect) members(thought string) string {
	switch d.thoughts {
	case inReasoningContent:
		return fmt.Sprintf(`,"reasoning_content":%q`, thought)
	case inReasoning:
		return fmt.Sprintf(`,"reasoning":%q`, thought)
	case inBoth:
		return fmt.Sprintf(`,"reasoning":%q,"reasoning_content":%q`, thought, thought)
	case inDetails:
		return fmt.Sprintf(`,"reasoning":%q,"reasoning_details":[{"type":"reasoning.text","text":%q,"format":"anthropic-claude-v1","index":0}]`, thought, thought)
	case inSplitDetails:
		return fmt.Sprintf(`,"reasoning_content":%q,"reasoning_details":[{"type":"reasoning.text","id":"reasoning-text-1","format":"MiniMax-response-v1","index":0,"text":%q}]`, thought, thought)
	case inTags, inParts, nowhere:
	}
	return ""
}

// signature closes the thoughts of a model that signs them.
const signature = "c2lnbmF0dXJlIG9mIHRob3VnaHRz"

func (d dialect) signed() string {
	if d.thoughts != inDetails {
		return ""
	}
	return fmt.Sprintf(`,"reasoning":null,"reasoning_details":[{"type":"reasoning.text","text":null,"signature":%q,"format":"anthropic-claude-v1","index":0}]`, signature)
}

// stream is a turn, event by event.
func (d dialect) stream(t turn) []string {
	out := []string{d.comment}
	if d.azure {
		out = append(out, "data: {\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n")
	}
	out = append(out, d.chunk(`"role":"assistant","content":""`, "null", ""))
	if t.thought != "" {
		out = append(out, d.thinking(t.thought)...)
	}
	for _, piece := range pieces(t.text) {
		out = append(out, d.chunk(d.role()+fmt.Sprintf(`"content":%q`, piece), "null", ""))
	}
	if t.call {
		out = append(out, d.calling()...)
	}
	return append(out, d.end(t)...)
}

func (d dialect) thinking(thought string) (out []string) {
	if d.thoughts == inTags {
		// the tags are cut in the middle, as tokens cut them
		for _, piece := range []string{"<thi", "nk>\n" + thought[:10], thought[10:] + "\n</", "think>\n\n"} {
			out = append(out, d.chunk(d.role()+fmt.Sprintf(`"content":%q`, piece), "null", ""))
		}
		return out
	}
	if d.thoughts == nowhere {
		return nil
	}
	for _, piece := range pieces(thought) {
		if d.thoughts == inParts {
			out = append(out, d.chunk(fmt.Sprintf(`"content":[%s]`, thinkingPart(piece)), "null", ""))
			continue
		}
		out = append(out, d.chunk(d.role()+`"content":""`+d.members(piece), "null", ""), d.comment)
	}
	if signed := d.signed(); signed != "" {
		out = append(out, d.chunk(d.role()+`"content":""`+signed, "null", ""))
	}
	return out
}

func (d dialect) calling() []string {
	const form = `"tool_calls":[{"index":0,"id":%q,"type":"function","function":{"name":"get_weather","arguments":"%s"}}]`
	const more = `"tool_calls":[{"index":0,%s"function":{%s"arguments":"%s"}}]`
	if d.callInOnePiece {
		return []string{d.chunk(d.role()+fmt.Sprintf(form, d.callID, arguments), "null", "")}
	}
	id, name := "", ""
	if d.allKeys {
		id, name = `"id":null,`, `"name":null,`
	}
	return []string{
		d.chunk(d.role()+fmt.Sprintf(form, d.callID, ""), "null", ""),
		d.chunk(d.role()+fmt.Sprintf(more, id, name, `{\"ci`), "null", ""),
		d.chunk(d.role()+fmt.Sprintf(more, id, name, `ty\":\"Oslo\"}`), "null", ""),
	}
}

func (d dialect) end(t turn) (out []string) {
	finish, delta := fmt.Sprintf("%q", t.finish()), d.role()+`"content":""`
	switch d.usage {
	case inOwnChunk:
		out = []string{d.chunk("", finish, ""), d.event(`"choices":[]`, counts)}
	case withFinish:
		out = []string{d.chunk(delta, finish, counts)}
	case repeatingFinish:
		out = []string{d.chunk(delta, finish, ""), d.chunk(delta, finish, counts)}
	case twice:
		out = []string{d.chunk("", finish, counts), d.event(`"choices":[]`, counts)}
	}
	if !d.noDone {
		out = append(out, "data: [DONE]\n\n")
	}
	return out
}

func (d dialect) role() string {
	switch {
	case d.everyRole:
		return `"role":"assistant",`
	case d.allKeys:
		return `"role":null,`
	}
	return ""
}

func (d dialect) chunk(delta, finish, usage string) string {
	return d.event(fmt.Sprintf(`"choices":[{"index":0,"delta":{%s},"logprobs":null,"finish_reason":%s%s}]`, delta, finish, d.choice), usage)
}

func (d dialect) event(choices, usage string) string {
	if usage == "" {
		usage = "null"
	}
	return fmt.Sprintf("data: {\"id\":\"chatcmpl-77\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"upstream\",%s,\"usage\":%s%s}\n\n", choices, usage, d.top)
}

// unary is a turn in one piece.
func (d dialect) unary(t turn) string {
	content := fmt.Sprintf("%q", t.text)
	thought := ""
	if t.thought != "" {
		thought = d.members(t.thought)
		if d.thoughts == inTags {
			content = fmt.Sprintf("%q", "<think>\n"+t.thought+"\n</think>\n\n"+t.text)
		}
	}
	if d.thoughts == inParts && t.thought != "" {
		content = fmt.Sprintf(`[%s,{"type":"text","text":%q}]`, thinkingPart(t.thought), t.text)
	}
	if d.thoughts == inDetails && t.thought != "" {
		thought = strings.Replace(thought, `"format"`, fmt.Sprintf(`"signature":%q,"format"`, signature), 1)
	}
	calls := ""
	if t.call {
		calls = fmt.Sprintf(`,"tool_calls":[{"index":0,"id":%q,"type":"function","function":{"name":"get_weather","arguments":"%s"}}]`, d.callID, arguments)
	}
	if content == `""` && d.allKeys {
		content = "null"
	}
	body := fmt.Sprintf(`{"id":"chatcmpl-78","object":"chat.completion","created":1764000000,"model":"upstream","choices":[{"index":0,"message":{"role":"assistant","content":%s%s%s},"logprobs":null,"finish_reason":%q%s}],"usage":%s%s}`,
		content, thought, calls, t.finish(), d.choice, counts, d.top)
	if d.padded {
		return "\n\n   \n" + body
	}
	return body
}

func thinkingPart(thought string) string {
	return fmt.Sprintf(`{"type":"thinking","thinking":[{"type":"text","text":%q}]}`, thought)
}

// pieces cuts a text as a model's tokens would.
func pieces(s string) []string {
	if s == "" {
		return nil
	}
	return strings.SplitAfter(s, " ")
}
