package openai_test

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/openai"
)

func BenchmarkDecodeChunk(b *testing.B) {
	a, err := openai.New(codec.Settings{Kind: "vllm", BaseURL: "http://localhost:8000", Model: "m"})
	if err != nil {
		b.Fatal(err)
	}
	d := a.Decoder()
	chunk := []byte(`{"id":"chatcmpl-bcfbe349402eb3d2","object":"chat.completion.chunk","created":1786479604,"model":"meta-llama/Llama-3.3-70B-Instruct","choices":[{"index":0,"delta":{"content":" hello"},"logprobs":null,"finish_reason":null,"token_ids":null}]}`)
	events := make([]chat.Event, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		if events, err = d.Event(nil, chunk, events[:0]); err != nil || len(events) != 1 {
			b.Fatal(err, len(events))
		}
	}
}
