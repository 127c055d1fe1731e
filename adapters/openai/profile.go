package openai

import (
	"fmt"
	"sort"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
)

// profile is what sets one OpenAI-compatible server apart from the others.
// The zero value is a server that follows OpenAI in everything.
type profile struct {
	// unversioned servers have no /v1 in their path.
	unversioned bool
	// drop are the parameters that the server refuses or ignores.
	drop chat.ParamSet
	// native are parameters of the gateway's own vocabulary that this server
	// takes as they are (OpenRouter).
	native chat.ParamSet
	// maxField is the name under which the length limit is sent, "" for the
	// name that the client used.
	maxField string
	// systemOnly servers do not know the developer role.
	systemOnly bool
	// keepParts servers get text parts as an array even if the model takes no
	// images, and keepCache servers understand cache_control.
	keepParts, keepCache bool
	// schemaless servers take response_format json_object but no schema.
	schemaless bool
	// noChoice servers ignore tool_choice: none is done by leaving out tools.
	noChoice bool
	// oneStop servers take a single stop word.
	oneStop bool
	// dataImages servers take images as data: URLs only.
	dataImages bool
	// minTemperature is put in the place of a temperature of 0.
	minTemperature string
	thinking       thinkingForm
	history        historyForm
	// extra is added to every request: raw members with a leading comma.
	extra string
	// headers are added to every request.
	headers map[string]string
}

// thinkingForm is how a server is asked to think.
type thinkingForm uint8

const (
	thinkEffort   thinkingForm = iota // reasoning_effort as sent
	thinkTemplate                     // chat_template_kwargs.enable_thinking, beside reasoning_effort
	thinkOllama                       // reasoning_effort none, low, medium or high
	thinkDeepSeek                     // thinking{type}, reasoning_effort high or max
	thinkZhipu                        // thinking{type}
	thinkObject                       // OpenRouter's reasoning{}
	thinkNever                        // no switch
)

// historyForm is how earlier reasoning goes back to a server.
type historyForm uint8

const (
	historyDrop    historyForm = iota // not at all
	historyBoth                       // reasoning and reasoning_content
	historyPlain                      // reasoning
	historyContent                    // reasoning_content
	historyDetails                    // reasoning_details unchanged, and reasoning
)

// profileOf returns the profile of a kind. To add a provider of this family,
// add a case here, its display name in the control plane, and a fixture.
func profileOf(kind string) (profile, error) {
	switch kind {
	case "demo":
		return profile{}, nil
	case "openai_compat":
		return profile{}, nil
	case "vllm", "sglang":
		return profile{systemOnly: true, thinking: thinkTemplate, history: historyBoth}, nil
	case "ollama":
		return profile{
			systemOnly: true, noChoice: true, dataImages: true, maxField: "max_tokens", thinking: thinkOllama, history: historyPlain,
			drop: chat.SetOf(chat.N, chat.LogitBias, chat.User, chat.ParallelToolCalls),
		}, nil
	}
	return profile{}, fmt.Errorf("kind %q is not one of %s", kind, strings.Join(Kinds(), ", "))
}

// Kinds lists the kinds of this family.
func Kinds() []string {
	kinds := []string{"demo", "vllm", "sglang", "ollama", "openai_compat"}
	sort.Strings(kinds)
	return kinds
}
