package e2e_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func TestOpenAIGoSDK(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	n := f.startNode("node-a")
	client := openai.NewClient(option.WithBaseURL(n.url+"/v1"), option.WithAPIKey(f.key(n)), option.WithMaxRetries(0))

	models, err := client.Models.List(t.Context())
	if err != nil || len(models.Data) != 2 || models.Data[0].ID != "demo" {
		t.Fatalf("models %+v, %v", models, err)
	}
	ask := func(text string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{Model: "demo", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
	}
	whole, err := client.Chat.Completions.New(t.Context(), ask("Ping"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(whole.Choices[0].Message.Content, "Pong") || whole.Choices[0].FinishReason != "stop" || whole.Usage.TotalTokens == 0 {
		t.Errorf("answer %s", whole.RawJSON())
	}
	stream := client.Chat.Completions.NewStreaming(t.Context(), ask("Count to 5"))
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Fatalf("chunk does not fit: %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := acc.Choices[0].Message.Content; got != "1 2 3 4 5" || acc.Usage.CompletionTokens != 5 {
		t.Errorf("streamed %q, usage %+v", got, acc.Usage)
	}
	_, err = client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "no/such", Messages: ask("x").Messages})
	var apiErr *openai.Error
	if !errors.As(err, &apiErr) || apiErr.StatusCode != http.StatusBadRequest || !strings.Contains(apiErr.Message, "no/such is not a valid model ID") {
		t.Errorf("unknown model: %v", err)
	}
}
