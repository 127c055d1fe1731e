package provider

import (
	"fmt"
	"net/http"
	"strings"
)

// gemini speaks Google's generateContent. Its calls have no id, and the
// signature on a call has to come back on the same part.
// At Vertex AI they never have one, and access tokens take the place of keys.
type gemini struct {
	vertex bool
	oauth  *oauth
}

const thoughtSignature = "CpkBAdHtim8+c2lnbmVk/Zm9yIHRoZSBjYWxs"

func (g gemini) answer(w http.ResponseWriter, r *request, c *complaints) {
	path, key, authorization := "/v1beta/models/", Key(r.kind), ""
	if g.vertex {
		path, key, authorization = "/v1/projects/weather/locations/global/publishers/google/models/", "", "Bearer "+g.oauth.current()
	}
	method := strings.TrimPrefix(r.URL.Path, path+Model("gemini"))
	stream := method == ":streamGenerateContent"
	if !stream {
		c.want("path", method, ":generateContent")
	} else {
		c.want("query", r.URL.RawQuery, "alt=sse")
	}
	c.want("x-goog-api-key", r.Header.Get("X-Goog-Api-Key"), key)
	c.want("authorization", r.Header.Get("Authorization"), authorization)
	c.only("the body", r.body, "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings")
	contents := list(r.body, "contents")
	checkContents(c, contents)
	if g.vertex && strings.Contains(fmt.Sprint(contents), "id:") {
		c.sayf("a call has an id")
	}
	t := geminiTurn(c, r, contents)
	switch {
	case !c.none():
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `[{"error":{"code":400,"message":%q,"status":"INVALID_ARGUMENT"}}]`, strings.Join(c.list, "; "))
	case stream:
		w.Header().Set("Content-Type", "text/event-stream")
		sse(w, geminiStream(t))
	default:
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = fmt.Fprint(w, candidate(strings.Join(geminiParts(t), ","), t.finishes()))
	}
}

func checkContents(c *complaints, contents []any) {
	if len(contents) == 0 {
		c.sayf("contents are empty")
	}
	for i, content := range contents {
		want := "user"
		if i%2 == 1 {
			want = "model"
		}
		c.want(fmt.Sprintf("contents[%d].role", i), text(content, "role"), want)
		if len(list(content, "parts")) == 0 {
			c.sayf("contents[%d].parts are empty", i)
		}
	}
}

func geminiTurn(c *complaints, r *request, contents []any) turn {
	switch result := object(contents, -1, "parts", 0, "functionResponse"); {
	case result != nil:
		c.want("name of the result", text(result, "name"), Tool)
		c.want("result", at(result, "response", "result"), Result)
		checkModelTurn(c, list(contents, -2, "parts"))
		return turn{thought: second, text: Answer}
	case list(r.body, "tools") == nil:
		return turn{text: greeting}
	}
	c.want("tool", text(r.body, "tools", 0, "functionDeclarations", 0, "name"), Tool)
	c.want("question", text(contents, -1, "parts", 0, "text"), Question)
	c.want("includeThoughts", at(r.body, "generationConfig", "thinkingConfig", "includeThoughts"), true)
	return turn{thought: first, call: true}
}

// checkModelTurn demands the call with its signature.
func checkModelTurn(c *complaints, parts []any) {
	for _, part := range parts {
		if call := object(part, "functionCall"); call != nil {
			c.want("call", text(call, "name"), Tool)
			c.want("args", at(call, "args"), map[string]any{"city": Place})
			c.want("thoughtSignature", text(part, "thoughtSignature"), thoughtSignature)
			return
		}
	}
	c.sayf("the model's turn has no functionCall")
}

func (t turn) finishes() string { return `,"finishReason":"STOP"` }

func geminiParts(t turn) (parts []string) {
	if t.thought != "" {
		parts = append(parts, fmt.Sprintf(`{"text":%q,"thought":true}`, t.thought))
	}
	if t.text != "" {
		parts = append(parts, fmt.Sprintf(`{"text":%q}`, t.text))
	}
	if t.call {
		parts = append(parts, fmt.Sprintf(`{"functionCall":{"name":"get_weather","args":{"city":"Oslo"}},"thoughtSignature":%q}`, thoughtSignature))
	}
	return parts
}

func geminiStream(t turn) (out []string) {
	for _, part := range geminiParts(t) {
		out = append(out, "data: "+candidate(part, "")+"\r\n\r\n")
	}
	return append(out, "data: "+candidate(`{"text":""}`, t.finishes())+"\r\n\r\n")
}

// candidate is a complete answer, which in a stream is what every event is.
func candidate(parts, finish string) string {
	return fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],"usageMetadata":{"promptTokenCount":120,"candidatesTokenCount":18,"thoughtsTokenCount":12,"totalTokenCount":150,"cachedContentTokenCount":40},"modelVersion":"gemini-3-pro-preview","responseId":"r1"}`, parts, finish)
}
