package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// A client that gave a tool of free text gets calls of one, streamed and unary,
// from servers that know such tools and from those that got a function for it.
func TestCustomTools(t *testing.T) {
	answers := map[string][2]string{
		"openai_compat": {
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"1","type":"custom","custom":{"name":"g","input":""}}]}}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"custom":{"input":"a \"b"}}]}}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"custom":{"input":"\"\n"}}]}}]}` + "\n\n",
			`"tool_calls":[{"id":"1","type":"custom","custom":{"name":"g","input":"a \"b\"\n"}}]`,
		},
		"vllm": {
			`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"1","type":"function","function":{"name":"g","arguments":""}}]}}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"input\": \"a \\\"b"}}]}}]}` + "\n\n" +
				`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"2","type":"function","function":{"name":"f","arguments":"{}"}},{"index":0,"function":{"arguments":"\\\"\\n\"}"}}]}}]}` + "\n\n",
			`"tool_calls":[{"id":"1","type":"function","function":{"name":"g","arguments":"{\"input\": \"a \\\"b\\\"\\n\"}"}}]`,
		},
	}
	const tools = `"tools":[{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"start: A"}}}},{"type":"function","function":{"name":"f"}}]`
	const end = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\ndata: [DONE]\n\n"
	for kind, answer := range answers {
		asked := make(chan string, 2)
		url := server(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if asked <- string(body); strings.Contains(string(body), `"stream":true`) {
				write(w, answer[0]+end)
			} else {
				write(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":null,`+answer[1]+`},"finish_reason":"tool_calls"}]}`)
			}
		})
		n := start(t, nodeOptions{}, model("m", endpoint("m:a", kind, url)))
		const call = `"type":"custom","custom":{"name":"g","input":`
		unary := n.chat(`{"messages":[{"role":"user","content":"x"}],` + tools + `}`)
		if !strings.Contains(unary.body, `"id":"1",`+call+`"a \"b\"\n"}`) {
			t.Errorf("%s: %s", kind, unary.body)
		}
		streamed := n.chat(`{"messages":[{"role":"user","content":"x"}],"stream":true,` + tools + `}`)
		input := ""
		for _, piece := range strings.Split(streamed.body, `"custom":{"input":"`)[1:] {
			input += piece[:strings.Index(piece, `"}}]`)]
		}
		if !strings.Contains(streamed.body, `"id":"1",`+call+`""}`) || input != `a \"b\"\n` || strings.Contains(streamed.body, `"name":"g","arguments"`) {
			t.Errorf("%s: input %s in\n%s", kind, input, streamed.body)
		}
		if kind == "vllm" && !strings.Contains(streamed.body, `"id":"2","type":"function","function":{"name":"f","arguments":"{}"}`) {
			t.Errorf("the other call: %s", streamed.body)
		}
		if got := <-asked; kind == "vllm" && !strings.Contains(got, `must match this lark grammar:\nstart: A`) {
			t.Errorf("the grammar is lost: %s", got)
		}
	}
}
