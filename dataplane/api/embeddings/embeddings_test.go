package embeddings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestParse(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		var tr translator
		if err := tr.Parse([]byte(body), nil); err != nil {
			t.Errorf("%s: %v", body, err)
			return
		}
		got := fmt.Sprintf("%s %s %d %v %d", tr.req.Model, tr.call.Input, tr.call.Count, tr.call.Base64, tr.call.Dimensions)
		for _, field := range tr.call.Fields {
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
	f(`{"provider":{"sort":"price"},"input":"a"}`, ` "a" 1 false 0 input`)
}

func TestParseRefuses(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		err := new(translator).Parse([]byte(body), nil)
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
	f(`{"provider":1,"input":"a"}`, "provider: must be an object")
	f(`{"provider":{},"provider":{},"input":"a"}`, "provider: duplicate key")
	f(`{"model":"a","mod\u0065l":"b","input":"a"}`, "model: duplicate key")
	f(`{"Input":"a"}`, `did you mean "input"`)
	for _, input := range []string{`[]`, `7`, `{}`, `["a",1]`, `[1,"a"]`, `[[]]`, `[["a"]]`, `[true]`, `[null]`} {
		f(`{"input":`+input+`}`, "input: must be a string, or")
	}
	f(`{"input":["a"`+strings.Repeat(`,"a"`, codec.MaxEmbeddingInputs)+`]}`, "at most 4096 texts, got 4097")
	f(`{"input":"a","encoding_format":"int8"}`, "encoding_format: must be")
	f(`{"input":"a","dimensions":0}`, "dimensions: must be")
	f(`{"input":"a","dimensions":1.5}`, "dimensions: must be")
}

func TestVectors(t *testing.T) {
	const numbers, packed = `[0.5,-1,1e-07,0]`, `"AAAAPwAAgL+Vv9YzAAAAAA=="`
	f := func(in string, pack bool, want string) {
		t.Helper()
		if got, err := appendVector(nil, []byte(in), pack); err != nil || string(got) != want {
			t.Errorf("appendVector(%s, %v) = %s, %v; want %s", in, pack, got, err, want)
		}
	}
	f(numbers, false, numbers)
	f(numbers, true, packed)
	f(packed, true, packed)
	f(packed, false, numbers)
	f(`"AAAAPw=\u003d"`, false, `[0.5]`)
	f(`[ 0.5 , 1 ]`, true, `"AAAAPwAAgD8="`)
	for in, pack := range map[string]bool{`[1e300]`: true, `["a"]`: true, `"AAA"`: false, `"AAAA"`: false, `"AACAfw=="`: false, "": true} {
		if got, err := appendVector(nil, []byte(in), pack); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

// provider answers with the vectors that a test gives it.
type provider struct {
	codec.Adapter
	vectors []string
}

func (provider) EncodeEmbedding(*codec.EmbeddingRequest, *codec.Call) error { return nil }

func (p provider) DecodeEmbedding(_ []byte, out *codec.EmbeddingAnswer) error {
	for i, v := range p.vectors {
		out.Vectors[i] = []byte(v)
	}
	out.Usage.Prompt = 7
	return nil
}

func TestAnswers(t *testing.T) {
	tr := Language().New()
	f := func(request string, vectors []string, want string) {
		t.Helper()
		tr.Reset()
		if err := tr.Parse([]byte(request), nil); err != nil {
			t.Fatal(err)
		}
		p := provider{vectors: vectors}
		if err := tr.Encode(p, &codec.Call{}); err != nil {
			t.Fatal(err)
		}
		events, err := tr.Decoder(p).Body(nil, nil)
		if want == "" {
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%v: %v", vectors, err)
			}
			return
		}
		if err != nil || len(events) != 1 || !events[0].Done || events[0].Usage.Prompt != 7 {
			t.Fatalf("%v, %v", events, err)
		}
		tr.Gather(&events[0])
		if got := tr.Append(nil, api.Head{Model: `m"1`}, &api.Total{Usage: chat.Usage{Prompt: 7}, Cost: "0.1"}); string(got) != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	both := []string{`[0.5]`, `"AAAAPw=="`}
	f(`{"input":["a","b"]}`, both, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]},{"object":"embedding","index":1,"embedding":[0.5]}],"model":"m\"1","usage":{"prompt_tokens":7,"total_tokens":7,"cost":0.1}}`)
	f(`{"input":["a","b"],"encoding_format":"base64"}`, both, `{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AAAAPw=="},{"object":"embedding","index":1,"embedding":"AAAAPw=="}],"model":"m\"1","usage":{"prompt_tokens":7,"total_tokens":7,"cost":0.1}}`)
	f(`{"input":["a"]}`, []string{`"AAA"`}, "")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"model":"m","input":["a"],"encoding_format":"base64","dimensions":3,"user":"u"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var tr translator
		if err := tr.Parse(body, nil); err == nil && (tr.call.Count < 1 || tr.call.Input == nil) {
			t.Fatalf("%s: %+v", body, tr.call)
		}
	})
}

// Unpacking what was packed gives the same float32 values, however often.
func FuzzVector(f *testing.F) {
	f.Add([]byte(`[0.1,-2,3e5]`))
	f.Add([]byte(`"AAAAPw=="`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if rawjson.Valid(in) != nil || !codec.IsVector(in) {
			return
		}
		packed, err := appendVector(nil, in, true)
		if err != nil {
			return
		}
		numbers, err := appendVector(nil, packed, false)
		if err != nil {
			return
		}
		again, err := appendVector(nil, numbers, true)
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
		if dst, err = appendVector(dst[:0], vector, true); err != nil {
			b.Fatal(err)
		}
	}
}
