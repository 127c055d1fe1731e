package gemini

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// counts are the members of usageMetadata under Google's terms.
type counts struct {
	prompt, toolPrompt, candidates, thoughts, cached, total int64
}

// readUsage takes in usageMetadata, which is cumulative: the last one that
// counts something wins.
func (d *decoder) readUsage(c *rawjson.Cursor, meta *chat.Event) {
	if !c.Object() {
		c.Skip()
		return
	}
	var n counts
	var u chat.Usage
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "promptTokenCount":
			n.prompt = chat.Tokens(c.Raw())
		case "toolUsePromptTokenCount":
			n.toolPrompt = chat.Tokens(c.Raw())
		case "candidatesTokenCount":
			n.candidates = chat.Tokens(c.Raw())
		case "thoughtsTokenCount":
			n.thoughts = chat.Tokens(c.Raw())
		case "cachedContentTokenCount":
			n.cached = chat.Tokens(c.Raw())
		case "totalTokenCount":
			n.total = chat.Tokens(c.Raw())
		case "promptTokensDetails":
			raw := c.Raw()
			u.PromptAudio, u.PromptImage = modality(raw, `"AUDIO"`), modality(raw, `"IMAGE"`)
		case "cacheTokensDetails":
			u.CacheReadAudio = modality(c.Raw(), `"AUDIO"`)
		case "candidatesTokensDetails":
			raw := c.Raw()
			u.CompletionAudio, u.CompletionImage = modality(raw, `"AUDIO"`), modality(raw, `"IMAGE"`)
		case "serviceTier":
			meta.ServiceTier = tierOf(c.Str())
		default:
			c.Skip()
		}
	}
	n.into(&u)
	if !u.Zero() {
		d.usage = u
	}
}

// into normalises: Google's candidates do not include the thoughts, and are
// left out now and then.
func (n *counts) into(u *chat.Usage) {
	if n.candidates == 0 {
		n.candidates = max(0, n.total-n.prompt-n.toolPrompt-n.thoughts)
	}
	u.Prompt = n.prompt + n.toolPrompt
	u.Completion = n.candidates + n.thoughts
	u.Reasoning, u.CacheRead = n.thoughts, n.cached
}

// modality returns the tokens of one modality in a list of them.
func modality(raw []byte, name string) int64 {
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		item := c.Raw()
		if string(chat.Member(item, "modality")) == name {
			return chat.Tokens(chat.Member(item, "tokenCount"))
		}
	}
	return 0
}

// tierOf gives Google's usual tier the name that OpenAI has for its own.
func tierOf(raw []byte) chat.Literal {
	if string(raw) == `"standard"` {
		return chat.Literal(`"default"`)
	}
	return raw
}

// searches counts the queries that grounding has sent to the web.
func searches(grounding []byte) (n int64) {
	for range rawjson.Elements(chat.Member(grounding, "webSearchQueries")) {
		n++
	}
	return n
}
