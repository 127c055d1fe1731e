package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestAzure(t *testing.T) {
	conform(t, "azure", "azure", map[string]adaptertest.Want{
		"own-filtered-prompt": {Fault: &adaptertest.Fault{Kind: fault.ContentFilter, Message: "The response was filtered"}},
		"own-no-deployment":   {Fault: &adaptertest.Fault{Kind: fault.NotFound}},
		"own-stream":          {Content: "Yes, so.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 9, Completion: 4, CacheRead: 2}},
		"own-filtered-answer": {Content: "It", Finish: "content_filter", Native: "content_filter", Usage: chat.Usage{Prompt: 9, Completion: 1}},
	})
}

func TestAzureAddress(t *testing.T) {
	f := func(base, version, want, responses string) {
		t.Helper()
		s := endpoint("azure", "my model")
		s.BaseURL, s.APIVersion, s.Responses = base, version, true
		a := adapter(t, s)
		call := adaptertest.Encode(t, a, []byte(`{"messages":[{"role":"user","content":"x"}]}`))
		if call.URL != want || !strings.HasPrefix(string(call.Body), `{"model":"my model",`) {
			t.Errorf("%s %s: %s %s, want %s", base, version, call.URL, call.Body, want)
		}
		call.Reset()
		if err := a.(codec.Responder).EncodeResponses([]byte(`{"input":"x"}`), "", call); err != nil || call.URL != responses { //nolint:errcheck // panics
			t.Errorf("%s: responses at %s (%v), want %s", base, call.URL, err, responses)
		}
	}
	const host = "https://r.openai.azure.com"
	f(host, "", host+"/openai/deployments/my%20model/chat/completions?api-version=2024-10-21", host+"/openai/v1/responses")
	f(host+"/openai/", "2025-04-01-preview", host+"/openai/deployments/my%20model/chat/completions?api-version=2025-04-01-preview", host+"/openai/v1/responses")
	f(host+"/openai/v1", "", host+"/openai/v1/chat/completions", host+"/openai/v1/responses")
	for kind, want := range map[string]string{"azure": "api_version: must be a date", "openai": `api_version: kind "openai" has one version only`} {
		s := endpoint(kind, "m")
		s.APIVersion = "latest"
		if _, err := adapters.New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", kind, err, want)
		}
	}
	a := adapter(t, endpoint("azure", "m"))
	if h := a.Authorize(" 0a1b "); h != (codec.Header{Name: "api-key", Value: "0a1b"}) {
		t.Error(h)
	}
	if h := a.Authorize("eyJ0.eyJh.c2ln\n"); h != (codec.Header{Name: "Authorization", Value: "Bearer eyJ0.eyJh.c2ln"}) {
		t.Error(h)
	}
}
