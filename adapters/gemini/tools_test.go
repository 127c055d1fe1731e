package gemini_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

func TestDeclarations(t *testing.T) {
	f := func(function, want string) {
		t.Helper()
		sends(t, settings("gemini-2.5-flash"), `"tools":[{"type":"function","function":{"name":"f",`+function+`}}],`+hi,
			hiSent+`,"tools":[{"functionDeclarations":[{"name":"f"`+want+`}]}]`)
	}
	same := func(schema string) {
		t.Helper()
		f(`"parameters":`+schema, `,"parameters":`+schema)
	}
	asJSON := func(schema, want string) {
		t.Helper()
		f(`"parameters":`+schema, `,"parametersJsonSchema":`+want)
	}
	f(`"description":"does it","strict":true`, `,"description":"does it"`)
	f(`"description":""`, ``)

	// no arguments, in all the ways that clients say it
	f(`"parameters":{}`, ``)
	f(`"parameters":null`, ``)
	f(`"parameters":{"type":"object","properties":{},"required":[ ],"additionalProperties":false,"$schema":"d"}`, ``)

	// what Google's own type can say
	same(`{"type":"object","properties":{"a":{"type":"string","description":"d","enum":["x","y"]},"b":{"type":"array","items":{"type":"integer","minimum":-1},"maxItems":3},"c":{"type":"OBJECT","properties":{"d":{"type":"boolean"}}}},"required":["a"]}`)
	f(`"parameters":{"properties":{"a":{"type":"number"}}}`, `,"parameters":{"type":"object","properties":{"a":{"type":"number"}}}`)

	// what it cannot
	for _, member := range []string{
		`{"type":["string","null"]}`, `{"type":"string","format":"uri"}`, `{"type":"integer","enum":[1]}`, `{"type":"string","enum":[""]}`, `{"anyOf":[{"type":"string"}]}`,
		`{"type":"array"}`, `{"type":"object"}`, `{"type":"object","properties":{}}`, `{"const":1}`, `{"type":"string","default":"x"}`, `true`, `{"type":"null"}`,
		`{"type":"object","properties":{"a b":{"type":"string"}}}`, `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, `{"type":"object","properties":{"a":{"type":"string"}},"required":["b"]}`,
	} {
		schema := `{"type":"object","properties":{"m":` + member + `}}`
		asJSON(schema, schema)
	}
	asJSON(`{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":{"type":"string"}}`)
	asJSON(`{"$schema":"d","type":"object","properties":{"$schema":{"type":"string"},"a":{"$ref":"#/$defs/x","description":"gone"},"b":[{"$ref":"y","z":1}]},"$defs":{"x":{"type":"string"}}}`,
		`{"type":"object","properties":{"$schema":{"type":"string"},"a":{"$ref":"#/$defs/x"},"b":[{"$ref":"y"}]},"$defs":{"x":{"type":"string"}}}`)
}

func TestToolChoice(t *testing.T) {
	f := func(choice, want string) {
		t.Helper()
		sends(t, settings("gemini-2.5-flash"), `"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"2g"}}],"tool_choice":`+choice+`,`+hi,
			hiSent+`,"tools":[{"functionDeclarations":[{"name":"f"},{"name":"_2g"}]}],"toolConfig":{"functionCallingConfig":{`+want+`}}`)
	}
	f(`"none"`, `"mode":"NONE"`)
	f(`"auto"`, `"mode":"AUTO"`)
	f(`"required"`, `"mode":"ANY"`)
	f(`{"type":"function","function":{"name":"2g"}}`, `"mode":"ANY","allowedFunctionNames":["_2g"]`)
	f(`{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"2g"}}]}}`, `"mode":"ANY","allowedFunctionNames":["f","_2g"]`)
	f(`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}`, `"mode":"VALIDATED","allowedFunctionNames":["f"]`)
	f(`{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`, `"mode":"AUTO"`)
	f(`{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"custom","custom":{"name":"f"}},{"type":"function","function":{"name":"gone"}}]}}`, `"mode":"ANY","allowedFunctionNames":["f"]`)
	// a tool that does not go out cannot be chosen
	for _, choice := range []string{`{"type":"function","function":{"name":"web_search"}}`, `{"type":"web_search"}`} {
		call := sends(t, settings("gemini-2.5-flash"), `"tools":[{"type":"function","function":{"name":"f"}},{"type":"web_search_20260209","name":"web_search"}],"tool_choice":`+choice+`,`+hi,
			hiSent+`,"tools":[{"functionDeclarations":[{"name":"f"}]}]`)
		if !call.Dropped.Has(chat.ToolChoice) || !call.Dropped.Has(chat.Tools) {
			t.Errorf("%s: dropped %v", choice, call.Dropped.Names())
		}
	}
}

const (
	asked     = `{"role":"user","content":"hi"}`
	askedSent = `{"role":"user","parts":[{"text":"hi"}]}`
	twoCalls  = `{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"add","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"mul","arguments":""}}]`
)

func TestToolResults(t *testing.T) {
	f := func(model, messages, want string) {
		t.Helper()
		sends(t, settings(model), `"messages":[`+messages+`]`, `"contents":[`+askedSent+`,`+want+`]`)
	}
	const calls = `{"role":"model","parts":[{"functionCall":{"id":"a","name":"add","args":{"x":1}}},{"functionCall":{"id":"b","name":"mul","args":{}}}]}`
	const old = "gemini-2.5-flash"
	results := func(a, b string) string {
		return `{"role":"user","parts":[{"functionResponse":{"id":"a","name":"add","response":` + a + `}},{"functionResponse":{"id":"b","name":"mul","response":` + b + `}}]}`
	}
	// in the order of the calls, in one turn, whatever stands between
	f(old, asked+`,`+twoCalls+`},{"role":"tool","tool_call_id":"b","content":"6"},{"role":"tool","tool_call_id":"a","content":"{\"sum\":5}"},{"role":"user","content":"go on"}`,
		calls+`,`+results(`{"sum":5}`, `{"result":"6"}`)+`,{"role":"user","parts":[{"text":"go on"}]}`)
	f(old, asked+`,`+twoCalls+`},{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]},{"role":"tool","tool_call_id":"b","content":"[1]"}`,
		calls+`,`+results(`{"result":"x\ny"}`, `{"result":"[1]"}`))
	f(old, asked+`,`+twoCalls+`},{"role":"tool","tool_call_id":"a","content":null},{"role":"tool","tool_call_id":"b","content":"{broken"}`,
		calls+`,`+results(`{"result":""}`, `{"result":"{broken"}`))
	f(old, asked+`,`+twoCalls+`},{"role":"tool","tool_call_id":"a","content":"no such file","is_error":true},{"role":"tool","tool_call_id":"b","content":"{\"x\":1}","is_error":true}`,
		calls+`,`+results(`{"error":"no such file"}`, `{"error":"{\"x\":1}"}`))
	// a late answer to an earlier call
	f(old, asked+`,`+twoCalls+`},{"role":"user","content":"wait"},{"role":"assistant","content":"ok"},{"role":"tool","tool_call_id":"a","content":"5"}`,
		calls+`,{"role":"user","parts":[{"text":"wait"}]},{"role":"model","parts":[{"text":"ok"}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"add","response":{"result":"5"}}}]}`)
	// arguments that are no object
	f(old, asked+`,{"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"add","arguments":"1"}}]}`,
		`{"role":"model","parts":[{"functionCall":{"id":"a","name":"add","args":{"arguments":"1","note":"The arguments of this call were not a JSON object"}}}]}`)
	// pictures as results
	const picture = asked + `,{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"see","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}`
	f(old, picture, `{"role":"model","parts":[{"functionCall":{"id":"a","name":"see","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"see","response":{"result":"x"}}},{"inlineData":{"mimeType":"image/png","data":"AA"}}]}`)
	f("gemini-3-flash", picture, `{"role":"model","parts":[{"functionCall":{"id":"a","name":"see","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"see","response":{"result":"x"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}}]}`)
}

func TestSignaturesComeBack(t *testing.T) {
	f := func(model, assistant, want string) {
		t.Helper()
		sends(t, settings(model), `"messages":[`+asked+`,`+assistant+`,`+asked+`]`, `"contents":[`+askedSent+`,{"role":"model","parts":[`+want+`]},`+askedSent+`]`)
	}
	const two, three = "gemini-2.5-flash", "gemini-3-pro-preview"
	const add, mul = `"functionCall":{"id":"a","name":"add","args":{"x":1}}`, `{"functionCall":{"id":"b","name":"mul","args":{}}}`
	f(three, twoCalls+`,"reasoning_details":[{"type":"reasoning.text","text":"hm","format":"google-gemini-v1"},{"type":"reasoning.encrypted","data":"S\/+=","id":"a","format":"google-gemini-v1","index":0}]}`,
		`{`+add+`,"thoughtSignature":"S/+="},`+mul)
	f(two, twoCalls+`}`, `{`+add+`},`+mul)
	// a history without signatures, or with those of others
	f(three, twoCalls+`}`, `{`+add+`,"thoughtSignature":"skip_thought_signature_validator"},`+mul)
	f("gemini-flash-latest", twoCalls+`,"reasoning_details":[{"type":"reasoning.encrypted","data":"S","id":"a","format":"anthropic-claude-v1"},{"type":"reasoning.encrypted","data":"S","id":"a"}]}`,
		`{`+add+`,"thoughtSignature":"skip_thought_signature_validator"},`+mul)
	// those of Google's own compatible layer
	f(three, `{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"add","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"S"}}}]}`, `{`+add+`,"thoughtSignature":"S"}`)
	// texts
	f(three, `{"role":"assistant","content":"t","reasoning_details":[{"type":"reasoning.encrypted","data":"S","format":"google-gemini-v1"}]}`, `{"text":"t","thoughtSignature":"S"}`)
	f(three, `{"role":"assistant","content":[{"type":"text","text":"t"},{"type":"text","text":"u"},{"type":"text","text":""}],"reasoning_details":[{"type":"reasoning.encrypted","data":"S","id":null,"format":"google-gemini-v1"},{"type":"reasoning.encrypted","data":"T","format":"google-gemini-v1"}]}`,
		`{"text":"t"},{"text":"u","thoughtSignature":"S"},{"text":"","thoughtSignature":"T"}`)
	f(two, `{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.encrypted","data":"S","format":"google-gemini-v1"}]}`, `{"text":"","thoughtSignature":"S"}`)
	// thoughts go back only with a signature
	f(two, `{"role":"assistant","content":"t","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"google-gemini-v1"},{"type":"reasoning.text","text":"no","format":"google-gemini-v1"}]}`,
		`{"thought":true,"text":"hm","thoughtSignature":"S"},{"text":"t"}`)
	// two messages are one turn, whose first call alone needs a signature
	f(three, `{"role":"assistant","content":"t"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"add","arguments":"{\"x\":1}"}}]},{"role":"assistant","tool_calls":[{"id":"b","type":"function","function":{"name":"mul","arguments":"{}"}}]}`,
		`{"text":"t"},{`+add+`,"thoughtSignature":"skip_thought_signature_validator"},`+mul)
}

// Images that the model made go back with their signatures, if it can see them.
func TestImagesOfTheAssistantComeBack(t *testing.T) {
	f := func(s codec.Settings, assistant, want string) {
		t.Helper()
		sends(t, s, `"messages":[`+asked+`,{"role":"assistant",`+assistant+`},`+asked+`]`, `"contents":[`+askedSent+`,{"role":"model","parts":[`+want+`]},`+askedSent+`]`)
	}
	s := settings("gemini-3-pro-image")
	s.Inputs = chat.HasImage
	const image = `{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="},"index":0}`
	const data = `"inlineData":{"mimeType":"image/png","data":"AA=="}`
	const note = `{"text":"[The assistant made an image here, which this model cannot see]"}`
	signed := func(names ...string) string {
		out := []string{}
		for _, name := range names {
			out = append(out, `{"type":"reasoning.encrypted","data":"`+name+`","format":"google-gemini-v1"}`)
		}
		return `,"reasoning_details":[` + strings.Join(out, ",") + `]`
	}
	f(s, `"content":"t","images":[`+image+`]`, `{"text":"t"},{`+data+`}`)
	f(s, `"content":"","images":[`+image+`]`+signed("S"), `{`+data+`,"thoughtSignature":"S"}`)
	f(s, `"content":"t","images":[`+image+`,`+image+`]`+signed("T", "S", "R"), `{"text":"t","thoughtSignature":"T"},{`+data+`,"thoughtSignature":"S"},{`+data+`,"thoughtSignature":"R"}`)
	f(s, `"content":"t","images":[{"type":"image_url","image_url":{"url":"http://a/b.png"}},{"type":"image_url"},7]`, `{"text":"t"},`+note+`,`+note+`,`+note)
	s.Inputs = 0
	f(s, `"content":null,"images":[`+image+`]`, note)
}

// A call of a tool of free text is one of the function that stands for it.
func TestEarlierCallsOfCustomTools(t *testing.T) {
	sends(t, settings("gemini-2.5-flash"), `"messages":[`+asked+`,{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"g","input":"a \"b\""}}]},`+asked+`]`,
		`"contents":[`+askedSent+`,{"role":"model","parts":[{"functionCall":{"id":"a","name":"g","args":{"input":"a \"b\""}}}]},`+askedSent+`]`)
}

// A result that the model cannot see is told in words.
func TestMediaInResults(t *testing.T) {
	s := settings("gemini-3.5-flash")
	s.Inputs = 0
	call := sends(t, s, `"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"see","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}]`,
		`"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"functionCall":{"name":"see","id":"a","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},{"role":"user","parts":[{"functionResponse":{"name":"see","id":"a","response":{"result":"x\n[The tool returned image content, which this model cannot take]"}}}]}]`)
	if call.Dropped != 0 {
		t.Errorf("dropped %v", call.Dropped.Names())
	}
}
