package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// readUsage takes in a usage object; the last one that counts something wins.
func (d *decoder) readUsage(c *rawjson.Cursor) {
	if !c.Object() {
		c.Skip()
		return
	}
	var u chat.Usage
	total := int64(0)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "prompt_tokens":
			u.Prompt = count(c)
		case "completion_tokens":
			u.Completion = count(c)
		case "total_tokens":
			total = count(c)
		case "prompt_tokens_details":
			promptDetails(c, &u)
		case "completion_tokens_details":
			completionDetails(c, &u)
		case "reasoning_tokens":
			u.Reasoning = max(u.Reasoning, count(c))
		case "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_read_tokens", "cached_tokens":
			u.CacheRead = max(u.CacheRead, count(c))
		case "cache_creation_input_tokens", "cache_write_tokens":
			u.CacheWrite = max(u.CacheWrite, count(c))
		case "cost":
			u.Cost = chat.MoneyText(c.Raw())
		case "is_byok":
			u.BYOK = string(c.Raw()) == "true"
		case "cost_details":
			u.InferenceCost = chat.MoneyText(chat.Member(c.Raw(), "upstream_inference_cost"))
		case "server_tool_use", "server_tool_use_details":
			serverTools(c.Raw(), &u)
		default:
			c.Skip()
		}
	}
	if !u.BYOK {
		u.InferenceCost = "" // it is what Cost says
	}
	if u.Reasoning > 0 && total == u.Prompt+u.Completion+u.Reasoning {
		u.Completion += u.Reasoning // xAI counts reasoning beside the completion
	}
	if !u.Zero() {
		d.usage, d.counted = u, true
	}
}

// count consumes a number of tokens.
func count(c *rawjson.Cursor) int64 { return chat.Tokens(c.Raw()) }

// serverTools reads the calls of OpenRouter's and Anthropic's own tools.
func serverTools(raw []byte, u *chat.Usage) {
	others := int64(0)
	for key, val := range rawjson.Members(raw) {
		switch n := chat.Tokens(val); string(key) {
		case "web_search_requests":
			u.WebSearches = max(u.WebSearches, n)
		case "web_fetch_requests", "code_execution_requests":
			others += n
		}
	}
	u.ServerTools = max(u.ServerTools, others)
}

func promptDetails(c *rawjson.Cursor, u *chat.Usage) {
	if !c.Object() {
		c.Skip()
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch n := count(c); string(key) {
		case "cached_tokens":
			u.CacheRead = max(u.CacheRead, n)
		case "cache_write_tokens":
			u.CacheWrite = max(u.CacheWrite, n)
		case "audio_tokens":
			u.PromptAudio = n
		case "image_tokens":
			u.PromptImage = n
		}
	}
}

func completionDetails(c *rawjson.Cursor, u *chat.Usage) {
	if !c.Object() {
		c.Skip()
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch n := count(c); string(key) {
		case "reasoning_tokens":
			u.Reasoning = max(u.Reasoning, n)
		case "audio_tokens":
			u.CompletionAudio = n
		case "image_tokens":
			u.CompletionImage = n
		}
	}
}
