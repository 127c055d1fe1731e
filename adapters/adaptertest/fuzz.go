package adaptertest

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Fuzz feeds mutated answers to a decoder: as a stream, as a body and as an
// error. Nothing may panic, and every event has to keep the contract.
func Fuzz(f *testing.F, a codec.Adapter, provider string) {
	f.Helper()
	for _, c := range loadCases(f, provider) {
		f.Add(c.Body)
	}
	f.Add([]byte("data: {}\n\ndata: [DONE]\n\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, tr := range []*Transcript{Stream(a, answer, len(answer)+1), Body(a, answer)} {
			for _, msg := range tr.broken {
				t.Error(msg)
			}
		}
		if f := a.Fault(500, answer); f == nil || f.Message == "" {
			t.Errorf("an error without a fault: %v", f)
		}
	})
}

// FuzzRequest feeds mutated client requests to the adapters. What is built has
// to be one JSON object, without a member twice that the gateway writes.
func FuzzRequest(f *testing.F, list ...codec.Adapter) {
	f.Helper()
	f.Add([]byte(`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"system","content":[{"type":"text","text":"t"}]},{"role":"user","content":[{"type":"text","text":"x","cache_control":{}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}],"max_tokens":5,"temperature":0,"stop":["a","b"],"stream":true}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"reasoning":"r","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","format":"anthropic-claude-v1"}],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{"}}]},{"role":"tool","tool_call_id":"c","content":"y"}],"reasoning":{"effort":"high"}}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"tools":[{"type":"function","function":{"name":"f"},"cache_control":{}}],"tool_choice":"none","response_format":{"type":"json_schema","schema":{}},"thinking":{"type":"enabled","budget_tokens":1},"x\"y":1}`))
	f.Fuzz(func(t *testing.T, client []byte) {
		var r chat.Request
		if r.Parse(client) != nil {
			return
		}
		for _, a := range list {
			var call codec.Call
			if a.Encode(&r, &call) == nil {
				checkMembers(t, call.Body)
			}
		}
	})
}

func checkMembers(t *testing.T, body []byte) {
	t.Helper()
	if err := rawjson.Valid(body); err != nil || body[0] != '{' {
		t.Fatalf("%s: %v", body, err)
	}
	seen := map[string]bool{}
	var c rawjson.Cursor
	c.Reset(body)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		name := string(rawjson.AppendUnescaped(nil, key))
		if seen[name] && chat.ParamOf([]byte(name)) != chat.Other {
			t.Fatalf("%s twice: %s", name, body)
		}
		seen[name] = true
		c.Skip()
	}
}
