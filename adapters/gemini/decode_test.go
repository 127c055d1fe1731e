package gemini_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

// show writes what an event says, in a form that is short enough for a test.
func show(ev *chat.Event) string {
	var b strings.Builder
	say := func(name string, val []byte) {
		if val != nil {
			fmt.Fprintf(&b, " %s=%s", name, val)
		}
	}
	if ev.Choice != 0 {
		fmt.Fprintf(&b, " choice=%d", ev.Choice)
	}
	say("content", ev.Content)
	say("reasoning", ev.Reasoning)
	say("details", ev.Details)
	for _, t := range ev.Tools {
		fmt.Fprintf(&b, " call=%d:%s:%s:%s", t.Index, t.ID, t.Name, t.Arguments)
	}
	say("images", ev.Images)
	say("audio", ev.Audio)
	say("annotations", ev.Annotations)
	say("logprobs", ev.Logprobs)
	if ev.Finish != chat.NotFinished {
		fmt.Fprintf(&b, " finish=%s", ev.Finish)
	}
	say("native", ev.Native)
	if ev.Fault != nil {
		fmt.Fprintf(&b, " fault=%s", ev.Fault.Kind)
	}
	if u := ev.Usage; u != nil {
		fmt.Fprintf(&b, " usage=%d/%d/%d/%d", u.Prompt, u.Completion, u.Reasoning, u.CacheRead)
	}
	if ev.Done {
		b.WriteString(" done")
	}
	return strings.TrimSpace(b.String())
}

// stream decodes chunks and the end of the stream.
func stream(t testing.TB, chunks ...string) (string, error) {
	t.Helper()
	d := adapter(t, settings("gemini-2.5-flash")).Decoder()
	var said []string
	take := func(events []chat.Event, err error) error {
		for i := range events {
			if s := show(&events[i]); s != "" {
				said = append(said, s)
			}
		}
		return err
	}
	for _, chunk := range chunks {
		if err := take(d.Event(nil, []byte(chunk), nil)); err != nil {
			return strings.Join(said, "\n"), err
		}
	}
	err := take(d.EOF(nil))
	return strings.Join(said, "\n"), err
}

// parts makes a chunk of a candidate's members.
func chunk(members string) string { return `{"candidates":[{` + members + `}]}` }

func parts(list string) string { return `"content":{"role":"model","parts":[` + list + `]}` }

func TestDecode(t *testing.T) {
	f := func(want string, chunks ...string) {
		t.Helper()
		got, err := stream(t, chunks...)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", chunks, got, err, want)
		}
	}
	const stop = `"finishReason":"STOP"`
	f("content=\"a\\nb\"\ncontent=\"c\" finish=stop native=\"STOP\"\ndone", chunk(parts(`{"text":"a\nb"}`)), chunk(parts(`{"text":"c"}`)+`,`+stop))
	f("content=\"a\"\ncontent=\"b\"\nfinish=length native=\"MAX_TOKENS\"\ndone", chunk(parts(`{"text":"a"},{"text":"b"}`)), chunk(parts(`{"text":""}`)+`,"finishReason":"MAX_TOKENS"`))
	// an empty answer is one
	f("finish=stop native=\"STOP\"\ndone", chunk(stop))
	f("finish=length native=\"MAX_TOKENS\"\ndone", chunk(`"content":{"role":"model"},"finishReason":"MAX_TOKENS"`))
	f("finish=content_filter native=\"SAFETY\"\ndone", chunk(`"content":{},"finishReason":"SAFETY"`))
	f("finish=content_filter native=\"IMAGE_SAFETY\"\ndone", chunk(`"finishReason":"IMAGE_SAFETY"`))
	f("finish=stop native=\"SOMETHING_NEW\"\ndone", chunk(`"finishReason":"SOMETHING_NEW"`))
	f("finish=error native=\"MALFORMED_FUNCTION_CALL\" fault=unavailable\ndone", chunk(`"content":{},"finishReason":"MALFORMED_FUNCTION_CALL"`))
	// the reason comes once
	f("content=\"a\" finish=stop native=\"STOP\"\ndone", chunk(parts(`{"text":"a"}`)+`,"finishReason":"FINISH_REASON_UNSPECIFIED",`+stop), chunk(stop))
	f("content=\"a\" finish=stop native=\"STOP\"\ndone", chunk(parts(`{"text":"a"}`)+`,`+stop), "[DONE]")
	// what is not known or not right is passed over
	f("content=\"a\" finish=stop native=\"STOP\"\ndone", `{"x":[{}],"candidates":[{`+parts(`7,{"executableCode":{"code":"1"}},{"text":5},{"functionCall":{}},{"inlineData":{"mimeType":"image/png"}},{"text":"a"}`)+`,`+stop+`,"index":-1},null],"modelVersion":"m"}`)
}

func TestThoughts(t *testing.T) {
	got, err := stream(t,
		chunk(parts(`{"text":"h","thought":true}`)), chunk(parts(`{"text":"m","thought":true},{"text":"","thought":true}`)),
		chunk(parts(`{"text":"a","thought":false}`)), chunk(parts(`{"text":"again","thought":true,"thoughtSignature":"S"}`)),
		chunk(parts(`{"text":"b"},{"text":"","thoughtSignature":"T"}`)+`,"finishReason":"STOP"`))
	want := `reasoning="h" details=[{"type":"reasoning.text","text":"h","format":"google-gemini-v1","index":0}]
reasoning="m" details=[{"type":"reasoning.text","text":"m","format":"google-gemini-v1","index":0}]
content="a"
reasoning="again" details=[{"type":"reasoning.text","text":"again","signature":"S","format":"google-gemini-v1","index":1}]
content="b"
details=[{"type":"reasoning.encrypted","data":"T","format":"google-gemini-v1","index":2}] finish=stop native="STOP"
done`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestCalls(t *testing.T) {
	f := func(want string, chunks ...string) {
		t.Helper()
		got, err := stream(t, chunks...)
		if err != nil || got != want {
			t.Errorf("%s\n got %s, %v\nwant %s", chunks, got, err, want)
		}
	}
	const end = "\nfinish=tool_calls native=\"STOP\"\ndone"
	const stop = `{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"responseId":"r-1"}`
	f(`call=0:"x1":"add":"{\"a\":\"q\\\"\\\\\\n \",\"b\":[1,2]}"`+"\n"+`call=1:"x2":"_":"{}"`+end,
		chunk(parts(`{"functionCall":{"name":"add","args":{ "a" : "q\"\\\n ",`+"\n\t"+`"b": [1, 2]},"id":"x1"}},{"functionCall":{"name":"_","id":"x2"}}`)), stop)
	// each call in a chunk of its own, and no ids
	f(`call=0:"call_r-1_0":"add":"{}"`+"\n"+`call=1:"call_r-1_1":"2x":"{}"`+"\n"+`call=2:"call_r-1_2":"__a":"{}"`+end,
		`{"candidates":[{`+parts(`{"functionCall":{"name":"add","args":{}}}`)+`}],"responseId":"r-1"}`,
		`{"candidates":[{`+parts(`{"functionCall":{"name":"_2x","args":null}},{"functionCall":{"name":"__a","args":{}}}`)+`}],"responseId":"r-1"}`, stop)
	// signatures name the call that they belong to
	f(`details=[{"type":"reasoning.encrypted","data":"S","id":"call_r-1_0","format":"google-gemini-v1","index":0}] call=0:"call_r-1_0":"add":"{}"`+end,
		`{"candidates":[{`+parts(`{"thoughtSignature":"S","functionCall":{"name":"add","args":{}}}`)+`}],"responseId":"r-1"}`, stop)
	f(`content="a" finish=length native="MAX_TOKENS"`+"\ndone", chunk(parts(`{"text":"a"}`)+`,"finishReason":"MAX_TOKENS"`))
}

func TestMadeIDs(t *testing.T) {
	f := func(responseID string) string {
		t.Helper()
		got, err := stream(t, `{"candidates":[{`+parts(`{"functionCall":{"name":"f"}}`)+`,"finishReason":"STOP"}],"responseId":`+responseID+`}`)
		id, _, ok := strings.Cut(strings.TrimPrefix(got, `call=0:"`), `"`)
		if err != nil || !ok || len(id) > 40 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
			t.Errorf("%s: %s, %v", responseID, got, err)
		}
		return id
	}
	if got := f(`"1gCzabW2FLznz7IP7YS00Ak"`); got != "call_1gCzabW2FLznz7IP7YS00Ak_0" {
		t.Errorf("got %s", got)
	}
	seen := map[string]bool{}
	for _, id := range []string{`null`, `""`, `"a/b"`, `"` + strings.Repeat("x", 50) + `"`, `"` + strings.Repeat("y", 50) + `"`} {
		first, second := f(id), f(id)
		if first != second || seen[first] {
			t.Errorf("%s: %s, then %s", id, first, second)
		}
		seen[first] = true
	}
}

func TestSeveralCandidates(t *testing.T) {
	const second = `{"candidates":[{"index":1,` + `"content":{"parts":[{"functionCall":{"name":"f","id":"i"}}]},"finishReason":"STOP"}]}`
	first := chunk(parts(`{"text":"a"}`) + `,"finishReason":"STOP","index":0`)
	got, err := stream(t, first, second)
	want := "content=\"a\" finish=stop native=\"STOP\"\nchoice=1 call=0:\"i\":\"f\":\"{}\" finish=tool_calls native=\"STOP\"\ndone"
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	// one of them cut off
	_, err = stream(t, `{"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}}]}`, first)
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("cut: %v", err)
	}
	// together in one chunk
	got, err = stream(t, `{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]},"finishReason":"STOP"},{"content":{"parts":[{"text":"b","thought":true}]},"finishReason":"MAX_TOKENS","index":1}]}`)
	want = `reasoning="a" details=[{"type":"reasoning.text","text":"a","format":"google-gemini-v1","index":0}] finish=stop native="STOP"
choice=1 reasoning="b" details=[{"type":"reasoning.text","text":"b","format":"google-gemini-v1","index":0}] finish=length native="MAX_TOKENS"
done`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestUsage(t *testing.T) {
	f := func(metadata string, want chat.Usage) {
		t.Helper()
		d := adapter(t, settings("gemini-2.5-flash")).Decoder()
		if _, err := d.Event(nil, []byte(`{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1}}`), nil); err != nil {
			t.Fatal(err)
		}
		events, err := d.Event(nil, []byte(`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":`+metadata+`}`), nil)
		if err != nil || len(events) != 1 || *events[0].Usage != want {
			t.Errorf("%s: %+v, %v", metadata, events[0].Usage, err)
		}
	}
	f(`{"promptTokenCount":54,"candidatesTokenCount":14,"totalTokenCount":130,"thoughtsTokenCount":62,"cachedContentTokenCount":9,"toolUsePromptTokenCount":3}`,
		chat.Usage{Prompt: 57, Completion: 76, Reasoning: 62, CacheRead: 9})
	f(`{"promptTokenCount":15,"totalTokenCount":17,"thoughtsTokenCount":2}`, chat.Usage{Prompt: 15, Completion: 2, Reasoning: 2})
	f(`{"promptTokenCount":15,"totalTokenCount":20}`, chat.Usage{Prompt: 15, Completion: 5})
	f(`{"promptTokenCount":15,"candidatesTokenCount":20,"promptTokensDetails":[{"modality":"TEXT","tokenCount":5},{"modality":"AUDIO","tokenCount":10}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":18}]}`,
		chat.Usage{Prompt: 15, Completion: 20, PromptAudio: 10, CompletionImage: 18})
	f(`{}`, chat.Usage{Prompt: 1, Completion: 1}) // nothing counted: the one before
	f(`7`, chat.Usage{Prompt: 1, Completion: 1})
}

func TestMediaOut(t *testing.T) {
	got, err := stream(t,
		chunk(parts(`{"text":"see"},{"inlineData":{"mimeType":"image/png","data":"AA"},"thoughtSignature":"S"}`)), chunk(parts(`{"inlineData":{"data":"BB","mimeType":"image/webp"}}`)),
		chunk(parts(`{"inlineData":{"mimeType":"audio/L16;rate=24000","data":"CC"}}`)+`,"finishReason":"STOP"`))
	want := `content="see"
details=[{"type":"reasoning.encrypted","data":"S","format":"google-gemini-v1","index":0}] images=[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"},"index":0}]
images=[{"type":"image_url","image_url":{"url":"data:image/webp;base64,BB"},"index":1}]
audio={"data":"CC"} finish=stop native="STOP"
done`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestCitations(t *testing.T) {
	web := func(list string) string { return `"groundingMetadata":{"groundingChunks":[` + list + `]}` }
	const one, two = `{"web":{"uri":"https://a.test","title":"A"}}`, `{"web":{"uri":"https://b.test"}}`
	got, err := stream(t, chunk(parts(`{"text":"a"}`)+`,`+web(one)), chunk(parts(`{"text":"b"}`)+`,`+web(one)), chunk(web(one+`,{"x":1},`+two)+`,"finishReason":"STOP"`))
	want := `content="a" annotations=[{"type":"url_citation","url_citation":{"url":"https://a.test","title":"A","start_index":0,"end_index":0}}]
content="b"
annotations=[{"type":"url_citation","url_citation":{"url":"https://b.test","title":"https://b.test","start_index":0,"end_index":0}}] finish=stop native="STOP"
done`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestLogprobs(t *testing.T) {
	got, err := stream(t, chunk(parts(`{"text":"é!"}`)+`,"logprobsResult":{"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.5},{"token":"e","logProbability":-2}]}],
		"chosenCandidates":[{"token":"é","tokenId":7,"logProbability":-0.5},{"token":"!"}]},"finishReason":"STOP"`))
	want := `content="é!" logprobs={"content":[{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.5,"bytes":[195,169]},{"token":"e","logprob":-2,"bytes":[101]}]},{"token":"!","logprob":0,"bytes":[33],"top_logprobs":[]}],"refusal":null} finish=stop native="STOP"
done`
	if err != nil || got != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

func TestWholeAnswers(t *testing.T) {
	f := func(body, want string, kind fault.Kind) {
		t.Helper()
		var said []string
		events, err := adapter(t, settings("gemini-2.5-flash")).Decoder().Body([]byte(body), nil)
		for i := range events {
			said = append(said, show(&events[i]))
		}
		if got := strings.Join(said, "\n"); got != want || err != nil && fault.KindOf(err) != kind || (err == nil) != (kind == fault.Internal) {
			t.Errorf("%s\n got %s, %v\nwant %s, %v", body, got, err, want, kind)
		}
	}
	const ok fault.Kind = fault.Internal // stands for no fault
	f("\n {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n", "content=\"a\" finish=stop native=\"STOP\"\ndone", ok)
	f(`[`+chunk(parts(`{"text":"a"}`))+",\r\n"+chunk(parts(`{"text":"b"}`)+`,"finishReason":"STOP"`)+`]`, "content=\"a\"\ncontent=\"b\" finish=stop native=\"STOP\"\ndone", ok)
	f(chunk(parts(`{"text":"a"}`)), "content=\"a\"", fault.Unavailable)
	f(`{}`, "", fault.Unavailable)
	f(``, "", fault.Unavailable)
	f(`<html>`, "", fault.Unavailable)
	f(`[]`, "", fault.Unavailable)
	f(`[{}`, "", fault.Unavailable)
	f(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]`, "", fault.Unavailable)
	f(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}`, "usage=9/0/0/0", fault.ContentFilter)
	f(`{"promptFeedback":{"safetyRatings":[]},"candidates":[{"finishReason":"STOP"}]}`, "finish=stop native=\"STOP\"\ndone", ok)
	f(`[{"error":{"code":503,"status":"UNAVAILABLE","message":"The model is overloaded."}}]`, "", fault.Overloaded)
}

func TestErrorsInStreams(t *testing.T) {
	a := adapter(t, settings("gemini-2.5-flash"))
	f := func(name, data string, want fault.Kind) {
		t.Helper()
		d := a.Decoder()
		if _, err := d.Event(nil, []byte(chunk(parts(`{"text":"a"}`))), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Event([]byte(name), []byte(data), nil); err == nil || fault.KindOf(err) != want {
			t.Errorf("%s %s: %v, want %v", name, data, err, want)
		}
	}
	f("", `{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}`, fault.Overloaded)
	f("", `[{"error":{"code":500,"message":"x","status":"INTERNAL"}}]`, fault.Unavailable)
	f("error", `{"code":429}`, fault.RateLimit)
	f("", `{"promptFeedback":{"blockReason":"SAFETY"}}`, fault.ContentFilter)
	f("", `{"candidates":[{"content":`, fault.Unavailable)
	f("", `x`, fault.Unavailable)
	f("", `[DONE]`, fault.Unavailable)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"functionCall":{"name":"_1","args":{"a":"\\\""}},"thoughtSignature":"s"},{"inlineData":{"mimeType":"image/png","data":"A"}}]},"index":1,"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u"}}]},"logprobsResult":{"chosenCandidates":[{"token":"x"}],"topCandidates":[{}]}}],"usageMetadata":{"promptTokenCount":1,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":1}]},"responseId":"r"}`))
	f.Add([]byte(`[{"promptFeedback":{"blockReason":"X"}},{"error":{"code":429,"details":[{"violations":[{"quotaId":"PerDay"}]}]}}]`))
	f.Add([]byte(`{"candidates":{"content":[]}}`))
	a := adapter(f, settings("gemini-2.5-flash"))
	f.Fuzz(func(t *testing.T, data []byte) {
		whole, _ := a.Decoder().Body(data, nil)
		d := a.Decoder()
		events, err := d.Event(nil, data, nil)
		if err == nil {
			events, _ = d.EOF(events)
		}
		for _, ev := range append(whole, events...) {
			for _, raw := range [][]byte{ev.Content, ev.Reasoning, ev.Details, ev.Images, ev.Audio, ev.Annotations, ev.Logprobs, ev.Native, ev.ID, ev.ServiceTier} {
				if raw != nil && !json.Valid(raw) {
					t.Fatalf("%s\ngives %s", data, raw)
				}
			}
			for _, call := range ev.Tools {
				var text string
				if !json.Valid(call.ID) || !json.Valid(call.Name) || json.Unmarshal(call.Arguments, &text) != nil || !json.Valid([]byte(text)) {
					t.Fatalf("%s\ngives %s %s %s", data, call.ID, call.Name, call.Arguments)
				}
			}
		}
	})
}

const textChunk = `{"candidates": [{"content": {"parts": [{"text": "\" in Portuguese is:\n\n**Oi**\n\nYou can also say:\n\n**Hi** (This is a bit more"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 37,"totalTokenCount": 651,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 11}],"thoughtsTokenCount": 603},"modelVersion": "gemini-2.5-pro","responseId": "aQCzaYSIIp3Uz7IP4L7z4Qk"}`

func chunks() map[string]string {
	return map[string]string{
		"text":    textChunk,
		"thought": strings.Replace(textChunk, `{"text"`, `{"thought":true,"text"`, 1),
		"call":    strings.Replace(textChunk, `{"text"`, `{"functionCall":{"name":"weather","args":{"location": "Florence, Italy"}},"thoughtSignature":"`+strings.Repeat("A", 400)+`"},{"text"`, 1),
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for name, data := range chunks() {
		d := adapter(t, settings("gemini-2.5-flash")).Decoder()
		events := make([]chat.Event, 0, 8)
		data := []byte(data)
		n := testing.AllocsPerRun(100, func() {
			var err error
			if events, err = d.Event(nil, data, events[:0]); err != nil {
				t.Error(err)
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkDecodeChunk(b *testing.B) {
	for name, data := range chunks() {
		b.Run(name, func(b *testing.B) {
			d := adapter(b, settings("gemini-2.5-flash")).Decoder()
			events := make([]chat.Event, 0, 8)
			data := []byte(data)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if events, err = d.Event(nil, data, events[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
