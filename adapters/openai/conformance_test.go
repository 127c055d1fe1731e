package openai_test

import (
	"slices"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

func build(s codec.Settings) (codec.Adapter, error) { return adapters.New(s) }

// compatible lists the kinds of this codec.
func compatible() []string {
	return slices.DeleteFunc(adapters.Kinds(), func(kind string) bool {
		return slices.Contains([]string{"anthropic", "bedrock", "claude", "gemini"}, kind)
	})
}

// endpoint returns settings of a model that takes everything.
func endpoint(kind, model string) codec.Settings {
	return codec.Settings{
		Kind: kind, BaseURL: "http://upstream.test", Model: model, Tools: true, Structured: true,
		Inputs: chat.HasImage | chat.HasAudio | chat.HasFile | chat.HasVideo,
		Params: ^chat.ParamSet(0),
	}
}

func conform(t *testing.T, provider, kind string, wants map[string]adaptertest.Want) {
	t.Helper()
	adaptertest.Run(t, adaptertest.Harness{
		Provider: provider, New: build, Wants: wants,
		Settings: func(c adaptertest.Case) codec.Settings { return endpoint(kind, c.Model) },
	})
}

func TestOpenAI(t *testing.T) {
	conform(t, "openai", "openai_compat", with(wantsOpenai(), ownOpenAI()))
}

func TestDeepSeek(t *testing.T) {
	conform(t, "deepseek", "deepseek", with(wantsDeepseek(), ownDeepSeek()))
}
func TestChutes(t *testing.T)  { conform(t, "chutes", "chutes", with(wantsChutes(), ownChutes())) }
func TestMiniMax(t *testing.T) { conform(t, "minimax", "minimax", with(wantsMinimax(), ownMiniMax())) }
func TestZhipu(t *testing.T)   { conform(t, "zhipu", "zhipu", with(wantsZhipu(), ownZhipu())) }
func TestOllama(t *testing.T)  { conform(t, "ollama", "ollama", with(wantsOllama(), ownOllama())) }
func TestSGLang(t *testing.T)  { conform(t, "sglang", "sglang", with(wantsSglang(), ownSGLang())) }
func TestVLLM(t *testing.T)    { conform(t, "vllm", "vllm", with(wantsVllm(), ownVLLM())) }
func TestCompatOther(t *testing.T) {
	conform(t, "openai-compat-other", "openai_compat", with(wantsOpenaiCompatOther(), ownCompatOther()))
}
func TestFeatherless(t *testing.T) { conform(t, "featherless", "featherless", ownFeatherless()) }
func TestGroq(t *testing.T)        { conform(t, "groq", "groq", ownGroq()) }

func TestMistral(t *testing.T)   { conform(t, "mistral", "mistral", ownMistral()) }
func TestXAI(t *testing.T)       { conform(t, "xai", "xai", ownXAI()) }
func TestTogether(t *testing.T)  { conform(t, "together", "together", ownTogether()) }
func TestFireworks(t *testing.T) { conform(t, "fireworks", "fireworks", ownFireworks()) }
func TestMoonshot(t *testing.T)  { conform(t, "moonshot", "moonshot", ownMoonshot()) }
func TestQwen(t *testing.T)      { conform(t, "qwen", "qwen", ownQwen()) }

func TestOpenRouter(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Provider: "openrouter", New: build, Wants: with(wantsOpenrouter(), ownOpenRouter()),
		Settings: func(c adaptertest.Case) codec.Settings {
			s := endpoint("openrouter", c.Model)
			s.Slug = map[string]string{"cached-usage": "anthropic", "own-pinned": "deepinfra"}[c.Name]
			return s
		},
	})
}
