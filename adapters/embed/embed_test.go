package embed_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/embed"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestParse(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		var r embed.Request
		if err := r.Parse([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
			return
		}
		got := fmt.Sprintf("%s %s %d %v %d", r.Model, r.Input, r.Count, r.Base64, r.Dimensions)
		for _, field := range r.Fields {
			got += " " + string(field.Key)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
	f(`{"model":"m","input":"a"}`, `m "a" 1 false 0 input`)
	f(`{"input":["a","b"],"encoding_format":"base64","dimensions":256,"user":"u","x\"y":1}`, ` ["a","b"] 2 true 256 input encoding_format dimensions user x\"y`)
	f(`{"input":[1,2,3],"encoding_format":"float","dimensions":null}`, ` [1,2,3] 1 false 0 input encoding_format`)
	f(`{"input":[[1],[2,3]]}`, ` [[1],[2,3]] 2 false 0 input`)
}

func TestParseRefuses(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		err := new(embed.Request).Parse([]byte(body))
		if fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
	f(``, "not valid JSON")
	f(`{"input":"a"`, "not valid JSON")
	f(`{"input":"a`, "not valid JSON")
	f(`7`, "must be a JSON object")
	f(`{"model":"m"}`, "input: required")
	f(`{"input":null}`, "input: required")
	f(`{"model":1,"input":"a"}`, "model: must be a string")
	f(`{"model":"a","mod\u0065l":"b","input":"a"}`, "model: given more than once")
	f(`{"Input":"a"}`, `did you mean "input"`)
	for _, input := range []string{`[]`, `7`, `{}`, `["a",1]`, `[1,"a"]`, `[[]]`, `[["a"]]`, `[true]`, `[null]`} {
		f(`{"input":`+input+`}`, "input: must be a string, or")
	}
	f(`{"input":["a"`+strings.Repeat(`,"a"`, embed.MaxInputs)+`]}`, "at most 4096 texts, got 4097")
	f(`{"input":"a","encoding_format":"int8"}`, "encoding_format: must be")
	f(`{"input":"a","dimensions":0}`, "dimensions: must be")
	f(`{"input":"a","dimensions":1.5}`, "dimensions: must be")
}

func TestVectors(t *testing.T) {
	const numbers, packed = `[0.5,-1,1e-07,0]`, `"AAAAPwAAgL+Vv9YzAAAAAA=="`
	f := func(in string, pack bool, want string) {
		t.Helper()
		if got, err := embed.AppendVector(nil, []byte(in), pack); err != nil || string(got) != want {
			t.Errorf("AppendVector(%s, %v) = %s, %v; want %s", in, pack, got, err, want)
		}
	}
	f(numbers, false, numbers)
	f(numbers, true, packed)
	f(packed, true, packed)
	f(packed, false, numbers)
	f(`"AAAAPw=\u003d"`, false, `[0.5]`)
	f(`[ 0.5 , 1 ]`, true, `"AAAAPwAAgD8="`)
	for in, pack := range map[string]bool{`[1e300]`: true, `["a"]`: true, `"AAA"`: false, `"AAAA"`: false, `"AACAfw=="`: false, "": true} {
		if got, err := embed.AppendVector(nil, []byte(in), pack); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

func TestAppend(t *testing.T) {
	var a embed.Answer
	a.Reset(2)
	if a.Complete() {
		t.Error("complete without vectors")
	}
	a.Vectors[0], a.Vectors[1], a.Usage.Prompt = []byte(`[0.5]`), []byte(`"AAAAPw=="`), 7
	f := func(packed bool, usage, want string) {
		t.Helper()
		var raw []byte
		if usage != "" {
			raw = []byte(usage)
		}
		if got, err := a.Append(nil, `m"1`, packed, raw); err != nil || string(got) != want {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
	f(false, "", `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]},{"object":"embedding","index":1,"embedding":[0.5]}],"model":"m\"1","usage":{"prompt_tokens":7,"total_tokens":7}}`)
	f(true, `{"cost":1}`, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPw=="},{"object":"embedding","index":1,"embedding":"AAAAPw=="}],"model":"m\"1","usage":{"cost":1}}`)
	a.Vectors[1] = []byte(`"AAA"`)
	if _, err := a.Append(nil, "m", false, nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"m","input":["a"],"encoding_format":"base64","dimensions":3,"user":"u"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var r embed.Request
		if err := r.Parse(body); err == nil && (r.Count < 1 || r.Input == nil) {
			t.Fatalf("%s: %+v", body, r)
		}
	})
}

// Unpacking what was packed gives the same float32 values, however often.
func FuzzVector(f *testing.F) {
	f.Add([]byte(`[0.1,-2,3e5]`))
	f.Add([]byte(`"AAAAPw=="`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if rawjson.Valid(in) != nil || !embed.IsVector(in) {
			return
		}
		packed, err := embed.AppendVector(nil, in, true)
		if err != nil {
			return
		}
		numbers, err := embed.AppendVector(nil, packed, false)
		if err != nil {
			return
		}
		again, err := embed.AppendVector(nil, numbers, true)
		if err != nil || in[0] == '[' && string(again) != string(packed) || rawjson.Valid(numbers) != nil {
			t.Fatalf("%s -> %s -> %s -> %s, %v", in, packed, numbers, again, err)
		}
	})
}

func BenchmarkPack(b *testing.B) {
	vector := []byte("[" + strings.Repeat("-0.0123456789,", 1023) + "0.5]")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = embed.AppendVector(dst[:0], vector, true); err != nil {
			b.Fatal(err)
		}
	}
}
