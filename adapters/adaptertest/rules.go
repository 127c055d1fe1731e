package adaptertest

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// malformed returns which rule of the contract an event breaks, "" if none.
func malformed(ev *chat.Event) string {
	for name, lit := range map[string]chat.Literal{
		"content": ev.Content, "reasoning": ev.Reasoning, "refusal": ev.Refusal, "native": ev.Native,
		"id": ev.ID, "fingerprint": ev.Fingerprint, "service tier": ev.ServiceTier,
	} {
		if lit != nil && !isLiteral(lit) {
			return fmt.Sprintf("%s is not a string literal: %s", name, lit)
		}
	}
	for name, raw := range map[string][]byte{"details": ev.Details, "annotations": ev.Annotations, "images": ev.Images} {
		if raw != nil && (rawjson.Valid(raw) != nil || raw[0] != '[') {
			return fmt.Sprintf("%s is not an array: %s", name, raw)
		}
	}
	for name, raw := range map[string][]byte{"audio": ev.Audio, "logprobs": ev.Logprobs} {
		if raw != nil && (rawjson.Valid(raw) != nil || raw[0] != '{') {
			return fmt.Sprintf("%s is not an object: %s", name, raw)
		}
	}
	for i := range ev.Tools {
		if msg := malformedTool(&ev.Tools[i]); msg != "" {
			return msg
		}
	}
	return malformedNumbers(ev)
}

func malformedTool(t *chat.ToolDelta) string {
	for _, lit := range []chat.Literal{t.ID, t.Name, t.Arguments} {
		if lit != nil && !isLiteral(lit) {
			return fmt.Sprintf("a tool call has %s where a literal belongs", lit)
		}
	}
	if t.Index < 0 {
		return "a tool call without index"
	}
	return ""
}

func malformedNumbers(ev *chat.Event) string {
	if ev.Choice < 0 {
		return "a negative choice"
	}
	if u := ev.Usage; u != nil && min(u.Prompt, u.Completion, u.Reasoning, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.PromptAudio, u.PromptImage, u.CacheReadAudio, u.CompletionAudio, u.CompletionImage, u.WebSearches, u.ServerTools) < 0 {
		return fmt.Sprintf("negative usage: %+v", *u)
	}
	return ""
}

func isLiteral(raw []byte) bool {
	return len(raw) >= 2 && raw[0] == '"' && rawjson.Valid(raw) == nil
}

// checkRules holds a complete answer to the rules that concern all of it.
func checkRules(t *testing.T, tr *Transcript) {
	t.Helper()
	for _, msg := range tr.broken {
		t.Error(msg)
	}
	if tr.Err != nil {
		return
	}
	for _, c := range tr.Choices {
		if c.Finish == "" {
			t.Errorf("choice %d has no finish reason", c.Index)
		}
		for i, tool := range c.Tools {
			if tool.ID == "" || tool.Name == "" {
				t.Errorf("tool call %d: %+v lacks id or name", i, tool)
			}
			if !json.Valid([]byte(tool.Arguments)) && c.Finish != "length" {
				t.Errorf("tool call %d: arguments %q are not JSON", i, tool.Arguments)
			}
		}
	}
}
