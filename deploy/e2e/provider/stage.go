package provider

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
)

// stage is an OpenAI-compatible server that does what the last message says:
//
//	json      answers with the object that the schema of the request asks for
//	two       calls the tool for two places at once
//	forever   streams until the client leaves
//	limit     is busy for seven seconds
//	fail      fails
//
// To anything else it says its name, to the results of tools what they said.
type stage struct {
	name string
	// left counts the streams whose reader went away.
	left *atomic.Int64
}

// Forever is what a stream without end repeats.
const Forever = "on and on "

func (s stage) answer(w http.ResponseWriter, r *request, c *complaints) {
	c.want("path", r.URL.Path, "/v1/chat/completions")
	c.want("authorization", r.Header.Get("Authorization"), "Bearer "+Key(r.kind))
	messages := list(r.body, "messages")
	checkMessages(c, messages, false)
	last := object(messages, -1)
	switch words(last["content"]) {
	case "fail":
		http.Error(w, `{"error":{"message":"out of order","type":"server_error","param":null,"code":null}}`, http.StatusInternalServerError)
		return
	case "limit":
		w.Header().Set("Retry-After", "7")
		http.Error(w, `{"error":{"message":"slow down","type":"rate_limit","param":null,"code":"rate_limit_exceeded"}}`, http.StatusTooManyRequests)
		return
	case "forever":
		s.forever(w, r)
		return
	}
	t := s.turn(c, r, last, messages)
	d := dialect{callID: "call_one", thoughts: nowhere}
	if r.body["stream"] == true {
		w.Header().Set("Content-Type", "text/event-stream")
		sse(w, s.stream(d, t))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	body := d.unary(turn{text: t.text, call: t.call})
	if t.call {
		body = strings.Replace(body, `"tool_calls":[`, `"tool_calls":[`+secondCall+`,`, 1)
	}
	_, _ = fmt.Fprint(w, body)
}

// secondCall is the other of two calls at once.
const secondCall = `{"index":1,"id":"call_two","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Bergen\"}"}}`

func (s stage) turn(c *complaints, r *request, last map[string]any, messages []any) turn {
	if text(last, "role") == "tool" {
		var said []string
		for _, m := range messages {
			if text(m, "role") == "tool" {
				said = append(said, text(m, "tool_call_id")+": "+words(object(m)["content"]))
			}
		}
		return turn{text: strings.Join(said, "; ")}
	}
	switch words(last["content"]) {
	case "json":
		c.want("response_format", text(r.body, "response_format", "type"), "json_schema")
		c.want("schema", object(r.body, "response_format", "json_schema", "schema", "properties", "degrees") != nil, true)
		return turn{text: `{"city":"Oslo","degrees":7}`}
	case "two":
		c.want("tool", text(r.body, "tools", 0, "function", "name"), Tool)
		return turn{call: true}
	}
	return turn{text: s.name}
}

// stream sends two calls, one after the other and in fragments: the helpers of
// some clients take a call for complete when the next begins.
func (s stage) stream(d dialect, t turn) []string {
	if !t.call {
		return d.stream(t)
	}
	const more = `"tool_calls":[{"index":%d,"function":{"arguments":%q}}]`
	open := func(index int, id string) string {
		return d.chunk(fmt.Sprintf(`"tool_calls":[{"index":%d,"id":%q,"type":"function","function":{"name":"get_weather","arguments":""}}]`, index, id), "null", "")
	}
	out := []string{d.chunk(`"role":"assistant","content":null`, "null", "")}
	for i, call := range []struct{ id, head, tail string }{{"call_one", `{"city":`, `"Oslo"}`}, {"call_two", `{"city":"Ber`, `gen"}`}} {
		out = append(out, open(i, call.id))
		for _, fragment := range []string{call.head, call.tail} {
			out = append(out, d.chunk(fmt.Sprintf(more, i, fragment), "null", ""))
		}
	}
	return append(out, d.end(t)...)
}

func (s stage) forever(w http.ResponseWriter, r *request) {
	d := dialect{}
	w.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		sse(w, []string{d.chunk(fmt.Sprintf(`"content":%q`, Forever), "null", "")})
	}
	s.left.Add(1)
}
