package chat_test

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
)

func parse(t *testing.T, body string) *chat.Request {
	t.Helper()
	r := &chat.Request{}
	if err := r.Parse([]byte(body)); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return r
}

func TestWholeNumbersWithAFraction(t *testing.T) {
	r := parse(t, `{"max_tokens":5.0,"reasoning":{"max_tokens":2e3},"messages":[{"role":"user","content":"x"}]}`)
	if r.MaxTokens != 5 || r.Reasoning.MaxTokens != 2000 {
		t.Errorf("max_tokens %d, reasoning %d", r.MaxTokens, r.Reasoning.MaxTokens)
	}
	f := func(in string, want int64, ok bool) {
		t.Helper()
		if got, gotOK := chat.Integer([]byte(in)); got != want || gotOK != ok {
			t.Errorf("Integer(%s) = %d, %v", in, got, gotOK)
		}
	}
	f("-3", -3, true)
	f("3.5", 0, false)
	f("1e300", 0, false)
	f(`"3"`, 0, false)
	f("9007199254740993", 9007199254740993, true)
	f("", 0, false)
}

// A key may be copied into another object as it is: an escaped quote in it
// must not come out as the end of the key.
func TestKeysStayEscaped(t *testing.T) {
	r := parse(t, `{"a\":1,\"model":1,"t\u006fp_k":3,"messages":[{"role":"user","content":"x"}]}`)
	if got := string(r.Fields[0].Key); got != `a\":1,\"model` {
		t.Errorf("unknown key %s", got)
	}
	if f := r.Fields[1]; f.Param != chat.TopK || string(f.Key) != "top_k" {
		t.Errorf("known key %s is %v", f.Key, f.Param)
	}
}

func TestReasoningOptions(t *testing.T) {
	f := func(members string, want chat.ReasoningOption) {
		t.Helper()
		r := parse(t, `{`+members+`"messages":[{"role":"user","content":"x"}]}`)
		if r.Reasoning != want {
			t.Errorf("%s: %+v, want %+v", members, r.Reasoning, want)
		}
	}
	f(``, chat.ReasoningOption{})
	f(`"reasoning":{},`, chat.ReasoningOption{Set: true})
	f(`"reasoning":{"enabled":true},`, chat.ReasoningOption{Set: true, On: true})
	f(`"reasoning":{"enabled":false,"effort":"high"},`, chat.ReasoningOption{Set: true, Off: true, Effort: "high"})
	f(`"reasoning":{"effort":"none"},`, chat.ReasoningOption{Set: true, Off: true})
	f(`"reasoning":{"max_tokens":100,"exclude":true},`, chat.ReasoningOption{Set: true, On: true, Exclude: true, MaxTokens: 100})
	f(`"reasoning_effort":"low",`, chat.ReasoningOption{Set: true, On: true, Effort: "low"})
	f(`"include_reasoning":false,`, chat.ReasoningOption{Set: true, Exclude: true})
	f(`"thinking":{"type":"enabled","budget_tokens":2048},`, chat.ReasoningOption{Set: true, On: true, MaxTokens: 2048})
	f(`"thinking":{"type":"disabled"},`, chat.ReasoningOption{Set: true, Off: true})
	f(`"thinking":{"type":"disabled"},"reasoning_effort":"low",`, chat.ReasoningOption{Set: true, On: true, Effort: "low"})
}

func TestFeaturesOfTheConversation(t *testing.T) {
	f := func(messages string, want chat.Feature) {
		t.Helper()
		if r := parse(t, `{"messages":[`+messages+`]}`); r.Has != want {
			t.Errorf("%s: %b, want %b", messages, r.Has, want)
		}
	}
	const user, calls = `{"role":"user","content":"x"}`, `{"role":"assistant","tool_calls":[{}]}`
	f(user, 0)
	f(`{"role":"system","content":"a"},{"role":"system","content":"b"},`+user, chat.HasSystems)
	f(`{"role":"system","content":"a"},{"role":"developer","content":"b"},`+user, chat.HasSystems|chat.HasDeveloper)
	f(user+`,{"role":"system","content":"a"},{"role":"system","content":"b"}`, chat.HasLateSystem)
	f(user+`,{"role":"assistant","content":"So"}`, chat.HasPrefill)
	f(user+`,`+calls, chat.HasToolCalls)
	f(user+`,`+calls+`,{"role":"assistant","content":"So"}`, chat.HasToolCalls|chat.HasPrefill)
	f(user+`,{"role":"assistant","content":"So","tool_calls":null}`, chat.HasPrefill|chat.HasNull)
}

func TestReasoningAlias(t *testing.T) {
	f := func(members, want string) {
		t.Helper()
		r := parse(t, `{"messages":[{"role":"assistant","content":"x",`+members+`}]}`)
		if got := string(r.Turns()[0].Thought); got != want {
			t.Errorf("%s: %s, want %s", members, got, want)
		}
	}
	f(`"reasoning":"a","reasoning_content":"b"`, `"a"`)
	f(`"reasoning_content":"b","reasoning":"a"`, `"a"`)
	f(`"reasoning":"","reasoning_content":"b"`, `"b"`)
	f(`"reasoning_content":"b","reasoning":""`, `"b"`)
	f(`"reasoning":null,"reasoning_content":"b"`, `"b"`)
}

func TestOpening(t *testing.T) {
	f := func(messages, system, user string, sent int) {
		t.Helper()
		var r chat.Request
		if err := r.Parse([]byte(`{"messages":` + messages + `}`)); err != nil {
			t.Fatal(err)
		}
		if o := r.Opening; string(o.System) != system || string(o.User) != user || o.Sent != sent {
			t.Errorf("%s: opening %q, %q, %d; want %q, %q, %d", messages, o.System, o.User, o.Sent, system, user, sent)
		}
	}
	const system, user, answer = `{"role":"system","content":"s"}`, `{"content": [{"type":"text","text":"q"}] ,"role":"user"}`, `{"role":"assistant","content":"a"}`
	f(`[`+user+`]`, ``, `[{"type":"text","text":"q"}]`, 0)
	f(`[`+system+`,`+user+`]`, system+`,`, `[{"type":"text","text":"q"}]`, 0)
	f(`[`+system+`,`+user+`,`+user+`]`, system+`,`, `[{"type":"text","text":"q"}]`, 0)
	f(`[`+system+`,`+user+`,`+answer+`,{"role":"user","content":"more"}]`, system+`,`, `[{"type":"text","text":"q"}]`, len(`[`+system+`,`+user+`,`+answer+`,`))
	f(`[`+system+`]`, ``, ``, 0)
	f(`[{"role":"user"}]`, ``, ``, 0)
}
