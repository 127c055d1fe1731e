package provider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// dialect is a server of the OpenAI-compatible family. The zero value is
// OpenAI's own form.
type dialect struct {
	// path is where chats are, /v1/chat/completions if empty.
	path string
	// developer means that the developer role is known.
	developer bool
	// thoughts is the form in which the model's thoughts are written.
	thoughts thoughts
	// history checks the earlier turn that the model is to go on from.
	history func(c *complaints, assistant map[string]any)
	// check is what this server demands of a request besides.
	check func(c *complaints, r *request)
	// refuses are members of requests that this server does not take.
	refuses []string
	// callID is the id of the call, and callInOnePiece sends it in one piece.
	callID         string
	callInOnePiece bool
	// everyRole names the role in each delta, allKeys sends keys without value.
	everyRole, allKeys bool
	// usage is where token counts are.
	usage usagePlace
	// choice and top are members that are added to each chunk or answer.
	choice, top string
	// comment is sent between events; noDone ends without [DONE].
	comment string
	noDone  bool
	// padded answers begin with white space that keeps the connection alive.
	padded bool
	// azure servers have versions, keys in a header of their own, and a first
	// chunk about the prompt.
	azure bool
	// refusal is the form of an error.
	refusal string
}

// thoughts is where a server puts what the model thinks.
type thoughts int

const (
	inReasoningContent thoughts = iota
	inReasoning
	inBoth
	inDetails
	inSplitDetails
	inTags
	inParts
	nowhere
)

// usagePlace is where in a stream the token counts are.
type usagePlace int

const (
	inOwnChunk usagePlace = iota
	withFinish
	repeatingFinish
	twice
)

const openAIRefusal = `{"error":{"message":%q,"type":"invalid_request_error","param":null,"code":null}}`

func (d dialect) answer(w http.ResponseWriter, r *request, c *complaints) {
	if d.path == "" {
		d.path = "/v1/chat/completions"
	}
	c.want("path", r.URL.Path, d.path)
	if d.azure {
		c.want("query", r.URL.RawQuery, "api-version=2024-10-21")
		c.want("api-key", r.Header.Get("Api-Key"), Key(r.kind))
	} else {
		c.want("authorization", r.Header.Get("Authorization"), "Bearer "+Key(r.kind))
	}
	c.want("model", text(r.body, "model"), Model(r.kind))
	c.without("the body", r.body, d.refuses...)
	checkMessages(c, list(r.body, "messages"), d.developer)
	stream := r.body["stream"] == true
	if stream && d.usage != repeatingFinish && !slices.Contains(d.refuses, "stream_options") {
		c.want("stream_options.include_usage", at(r.body, "stream_options", "include_usage"), true)
	}
	if d.check != nil {
		d.check(c, r)
	}
	turn := d.turn(c, r)
	switch {
	case !c.none():
		d.refuse(w, c)
	case stream:
		w.Header().Set("Content-Type", "text/event-stream")
		sse(w, d.stream(turn))
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, d.unary(turn))
	}
}

func (d dialect) refuse(w http.ResponseWriter, c *complaints) {
	form := d.refusal
	if form == "" {
		form = openAIRefusal
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, form, strings.Join(c.list, "; "))
}

// turn tells where in the conversation a request is.
func (d dialect) turn(c *complaints, r *request) (t turn) {
	messages := list(r.body, "messages")
	last := object(messages, -1)
	switch {
	case text(last, "role") == "tool":
		d.checkResult(c, messages)
		return turn{thought: second, text: Answer}
	case list(r.body, "tools") == nil:
		return turn{text: greeting}
	}
	c.want("tool", text(r.body, "tools", 0, "function", "name"), Tool)
	c.want("tool_choice", r.body["tool_choice"] == nil || r.body["tool_choice"] == "auto", true)
	c.want("question", words(last["content"]), Question)
	return turn{thought: first, call: true}
}

func (d dialect) checkResult(c *complaints, messages []any) {
	assistant := object(messages, -2)
	c.want("call", text(assistant, "tool_calls", 0, "function", "name"), Tool)
	c.want("call id", text(assistant, "tool_calls", 0, "id"), d.callID)
	c.want("arguments", strings.ReplaceAll(text(assistant, "tool_calls", 0, "function", "arguments"), " ", ""), `{"city":"Oslo"}`)
	c.want("result", words(at(messages, -1, "content")), Result)
	if d.history != nil {
		d.history(c, assistant)
	}
}

// checkMessages holds messages to what every server of the family demands.
func checkMessages(c *complaints, messages []any, developer bool) {
	if len(messages) == 0 {
		c.sayf("messages are missing")
	}
	open := map[string]bool{}
	for i, m := range messages {
		role := text(m, "role")
		if role == "tool" {
			id := text(m, "tool_call_id")
			if !open[id] {
				c.sayf("messages[%d] answers the call %q, which is not open", i, id)
			}
			delete(open, id)
			continue
		}
		if len(open) > 0 {
			c.sayf("messages[%d] comes before the results of %v", i, open)
		}
		if role != "system" && role != "user" && role != "assistant" && (role != "developer" || !developer) {
			c.sayf("messages[%d].role %q is not known", i, role)
		}
		for _, call := range list(m, "tool_calls") {
			c.want("type of a call", text(call, "type"), "function")
			open[text(call, "id")] = true
		}
	}
}

// words returns the text of a content, which may be in parts.
func words(content any) string {
	if s, ok := content.(string); ok {
		return s
	}
	var b strings.Builder
	for _, part := range list(content) {
		b.WriteString(text(part, "text"))
	}
	return b.String()
}

// sse sends pieces of a stream, each for itself.
func sse(w http.ResponseWriter, pieces []string) {
	for _, piece := range pieces {
		_, _ = fmt.Fprint(w, piece)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
}
