package adapters_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

var update = flag.Bool("update", false, "write README.md's tables anew")

// probe asks an adapter for one capability: it has it if a request with the
// members goes out in another way than one without, and nothing was dropped.
type probe struct {
	name     string
	without  string
	with     string
	marker   string // has to be in the built request, else the capability is half there
	messages bool   // the members are messages
}

const (
	call     = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"}`
	withTool = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}]`
	thinks   = `"max_tokens":8192`
)

func part(p string) string { return `{"role":"user","content":[` + p + `]}` }

func conversation() []probe {
	return []probe{
		{name: "tools", with: withTool},
		{name: "tool_choice", without: withTool, with: withTool + `,"tool_choice":"required"`},
		{name: "... none", without: withTool, with: withTool + `,"tool_choice":"none"`},
		{name: "one call at a time", without: withTool, with: withTool + `,"parallel_tool_calls":false`},
		{name: "tool results", with: `{"role":"user","content":"x"},` + call, messages: true},
		{name: "image", with: part(`{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}`), messages: true},
		{name: "... by URL", with: part(`{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}`), messages: true},
		{name: "audio", with: part(`{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}`), messages: true},
		{name: "PDF", with: part(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}}`), messages: true},
		{name: "cache_control", with: part(`{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}`), messages: true, marker: "ephemeral"},
	}
}

func parameters() []probe {
	return []probe{
		{name: "json_object", with: `"response_format":{"type":"json_object"}`},
		{name: "json_schema", with: `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"probe_marker":{"type":"string"}},"required":["probe_marker"],"additionalProperties":false}}}`, marker: "probe_marker"},
		{name: "effort", without: thinks, with: thinks + `,"reasoning":{"effort":"low"}`},
		{name: "budget", without: thinks, with: thinks + `,"reasoning":{"max_tokens":2000}`},
		{name: "off", without: thinks, with: thinks + `,"reasoning":{"enabled":false}`},
		{name: "stop", with: `"stop":["a","b"]`},
		{name: "seed", with: `"seed":42`},
		{name: "penalties", with: `"frequency_penalty":0.5,"presence_penalty":0.5`},
		{name: "top_k", with: `"top_k":40`},
		{name: "min_p", with: `"min_p":0.1`},
		{name: "logit_bias", with: `"logit_bias":{"1":2}`},
		{name: "logprobs", with: `"logprobs":true,"top_logprobs":2`},
		{name: "n", with: `"n":2`},
	}
}

// model is one that the kind is known for; the rules of some go by the name.
func model(kind string) string {
	switch kind {
	case "anthropic", "claude":
		return "claude-sonnet-4-5"
	case "bedrock":
		return "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	case "gemini":
		return "gemini-2.5-flash"
	case "minimax":
		return "MiniMax-M2"
	case "openrouter":
		return "vendor/model"
	}
	return "model"
}

func newAdapter(t *testing.T, kind string) codec.Adapter {
	t.Helper()
	region := ""
	if p, _ := adapters.Find(kind); p.Regional {
		region = "us-east-1"
	}
	a, err := adapters.New(codec.Settings{
		Kind: kind, Region: region, BaseURL: "https://upstream.test", Model: model(kind), MaxOutput: 16384, Tools: true, Structured: true,
		Inputs: chat.HasImage | chat.HasAudio | chat.HasFile | chat.HasVideo, Params: ^chat.ParamSet(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// encode returns the built request; nil if the adapter refuses it.
func encode(t *testing.T, a codec.Adapter, members string, messages bool) (*codec.Call, string) {
	t.Helper()
	body := `{"model":"m","messages":[{"role":"user","content":"x"}]`
	switch {
	case messages:
		body = `{"model":"m","messages":[` + members + `]`
	case members != "":
		body += "," + members
	}
	var r chat.Request
	if err := r.Parse([]byte(body + "}")); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	var c codec.Call
	if a.Encode(&r, &c) != nil {
		return nil, ""
	}
	return &c, string(c.Body)
}

func (p probe) ask(t *testing.T, kind string) string {
	t.Helper()
	a := newAdapter(t, kind)
	_, without := encode(t, a, p.without, false)
	c, with := encode(t, a, p.with, p.messages)
	switch {
	case c == nil, with == without:
		return "-"
	case p.marker != "" && !strings.Contains(with, p.marker):
		return "-"
	case c.Dropped == 0:
		return "x"
	case p.name == "stop":
		return "one"
	}
	return "-"
}

func table(t *testing.T, probes []probe) string {
	t.Helper()
	head, rule := "| kind |", "| --- |"
	for _, p := range probes {
		head += " " + p.name + " |"
		rule += " --- |"
	}
	rows := []string{head, rule}
	for _, kind := range adapters.Kinds() {
		if kind == "demo" || kind == "zai" { // ours, and another name
			continue
		}
		row := "| `" + kind + "` |"
		for _, p := range probes {
			row += " " + p.ask(t, kind) + " |"
		}
		rows = append(rows, row)
	}
	return strings.Join(rows, "\n") + "\n"
}

// The tables of the README come from the adapters themselves.
func TestReadmeIsCurrent(t *testing.T) {
	const file = "README.md"
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	now := old
	for name, text := range map[string]string{"conversation": table(t, conversation()), "parameters": table(t, parameters())} {
		begin, end := "<!-- "+name+": made by go test . -update -->\n", "<!-- end of "+name+" -->"
		before, rest, ok := strings.Cut(string(now), begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s lacks the marks of %s", file, name)
		}
		now = []byte(before + begin + text + end + after)
	}
	if bytes.Equal(old, now) {
		return
	}
	if !*update {
		t.Fatalf("%s is not current: run go test . -update", file)
	}
	if err := os.WriteFile(file, now, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryKindHasAnAdapter(t *testing.T) {
	for _, kind := range adapters.Kinds() {
		newAdapter(t, kind)
	}
	if _, err := adapters.New(codec.Settings{Kind: "bard"}); err == nil || !strings.Contains(err.Error(), `kind "bard" is not one of`) {
		t.Errorf("%v", err)
	}
}
