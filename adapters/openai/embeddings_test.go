package openai_test

import (
	"fmt"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func embedder(t testing.TB, s codec.Settings) codec.Embedder {
	t.Helper()
	e, ok := adapter(t, s).(codec.Embedder)
	if !ok {
		t.Fatalf("kind %s makes no embeddings", s.Kind)
	}
	return e
}

func TestEncodeEmbedding(t *testing.T) {
	f := func(s codec.Settings, client, url, want string) {
		t.Helper()
		var r codec.EmbeddingRequest
		for key, val := range rawjson.Members([]byte(client)) {
			if string(key) != "model" && !rawjson.IsNull(val) {
				r.Fields = append(r.Fields, codec.EmbeddingField{Key: key, Value: val})
			}
		}
		var call codec.Call
		e := embedder(t, s)
		if err := e.EncodeEmbedding(&r, &call); err != nil || call.URL != url {
			t.Fatalf("%s, %v", call.URL, err)
		}
		diffs, err := adaptertest.Compare([]byte(want), call.Body)
		if err != nil || len(diffs) > 0 {
			t.Errorf("%s: %v, %v", call.Body, diffs, err)
		}
	}
	s := endpoint("vllm", "bge")
	const client = `{"model":"ours","input":["a","b"],"encoding_format":"base64","dimensions":3,"x\"y":1,"user":null}`
	f(s, client, "http://upstream.test/v1/embeddings", `{"model":"bge","input":["a","b"],"encoding_format":"base64","dimensions":3,"x\"y":1}`)
	s.ExtraBody = []byte(`{"dimensions":9,"truncate":true}`)
	f(s, client, "http://upstream.test/v1/embeddings", `{"model":"bge","input":["a","b"],"encoding_format":"base64","x\"y":1,"dimensions":9,"truncate":true}`)
	s = endpoint("openrouter", "vendor/bge")
	s.Slug = "p"
	f(s, `{"input":"a"}`, "http://upstream.test/v1/embeddings", `{"model":"vendor/bge","input":"a","provider":{"order":["p"],"allow_fallbacks":false}}`)
	f(endpoint("zhipu", "e"), `{"input":"a"}`, "http://upstream.test/embeddings", `{"model":"e","input":"a"}`)
}

func TestDecodeEmbedding(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		var a codec.EmbeddingAnswer
		a.Reset(2)
		err := embedder(t, endpoint("minimax", "m")).DecodeEmbedding([]byte(body), &a)
		got := fmt.Sprintf("%s %d", a.Vectors, a.Usage.Prompt)
		if err != nil {
			got = fault.KindOf(err).String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	f(`{"object":"list","data":[{"index":0,"embedding":[1]},{"index":1,"embedding":"AAAAPw=="}],"usage":{"prompt_tokens":5,"total_tokens":5}}`, `[[1] "AAAAPw=="] 5`)
	f("\n\n"+`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`, `[[1] [2]] 0`)
	f(`{"data":[{"embedding":[1]},{"embedding":[2]},{"embedding":[3]}]}`, `[[1] [2]] 0`)
	f(`{"data":[{"index":0,"embedding":[1]}]}`, "unavailable")
	f(`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":null}]}`, "unavailable")
	f(`{"data":[{"index":0,"embedding":[1]},{"index":7000000,"embedding":[1]}]}`, "unavailable")
	f(`{"base_resp":{"status_code":1008,"status_msg":"x"}}`, "payment")
	f(`{"error":{"message":"x","code":404}}`, "not_found")
	f(`{"data":[`, "unavailable")
	f(`<html>`, "unavailable")
	f(``, "unavailable")
}

func FuzzDecodeEmbedding(f *testing.F) {
	a := embedder(f, endpoint("minimax", "m"))
	f.Add([]byte(`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":"AAAAPw=="}],"usage":{"prompt_tokens":5}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var out codec.EmbeddingAnswer
		out.Reset(2)
		if err := a.DecodeEmbedding(body, &out); err == nil && !out.Complete() {
			t.Fatalf("%s: %+v", body, out)
		}
	})
}
