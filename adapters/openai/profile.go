package openai

import (
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/markup"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// Profile is what sets one OpenAI-compatible server apart from the others.
// The zero value is a server that follows OpenAI in everything.
type Profile struct {
	// unversioned servers have no /v1 in their path.
	unversioned bool
	// azure servers have deployments in their paths, and keys in another header.
	azure bool
	// drop are the parameters that the server refuses or ignores.
	drop chat.ParamSet
	// native are parameters of the gateway's own vocabulary that this server
	// takes as they are.
	native chat.ParamSet
	// base are traits of the server's, ahead of what is known of its models.
	base wire.Traits
	// minTemperature is put in the place of a temperature of 0, maxTemperature
	// in the place of a higher one; "" and 0 leave it unchanged.
	minTemperature string
	maxTemperature float64
	// oneStop servers take a single stop word, as an array.
	oneStop bool

	// systemOnly servers do not know the developer role, oneSystem servers
	// (their models' templates) refuse a second system message.
	systemOnly, oneSystem bool
	// keepParts servers get text parts as an array even if the model takes no
	// images, and keepCache servers understand cache_control.
	keepParts, keepCache bool
	// mediaResults servers take images and the like in tool messages.
	mediaResults bool
	// answersResults servers refuse a message of the user's right behind results.
	answersResults bool
	// ownImages servers take back images that the assistant made.
	ownImages bool
	// strictMessages servers refuse members of messages that they do not know.
	strictMessages bool
	// parsesCalls servers read the arguments of earlier calls, and fail if they
	// are not JSON.
	parsesCalls bool
	// dataImages servers take images as data: URLs only.
	dataImages bool
	// prefill is added if the client wrote the beginning of the answer, and
	// prefillMessage to that message.
	prefill, prefillMessage string
	// shortIDs servers take ids of calls only that are nine letters and digits.
	shortIDs bool
	// plainJSON servers have no JSON mode while the model thinks.
	plainJSON bool
	// seed is what the server calls the seed, "" for seed.
	seed string
	// usageUnasked servers send usage with streams, and refuse to be asked for it.
	usageUnasked bool

	// toolTypes are the types of tools that the server takes beside functions;
	// one that ends in a colon is a prefix.
	toolTypes []string
	// choosesAmong servers know the tool_choice allowed_tools.
	choosesAmong bool
	// noChoice servers ignore tool_choice: none is done by leaving out tools.
	noChoice bool
	// fullTools servers refuse a function without parameters.
	fullTools bool

	thinking thinkingForm
	history  historyForm
	// text is what is read out of the text of answers; dialect is markup that
	// every model has.
	text    textForm
	dialect markup.Dialect
	// family is who made every model of the server, "" if it may be anyone.
	family string

	// codes classify the server's own error codes, phrases its words.
	codes   map[string]fault.Kind
	phrases []phrase

	// extra is an object whose members are added to every chat request, and
	// route one for requests of any kind.
	extra, route string
	// tune adjusts the profile to an endpoint's model.
	tune func(*Profile, codec.Settings)
}

// phrase is a piece of an error message, in lower case, that says more than
// the status that it comes with.
type phrase struct {
	status int
	text   string
	kind   fault.Kind
}

// thinkingForm is how a server is asked to think.
type thinkingForm uint8

const (
	thinkEffort   thinkingForm = iota // reasoning_effort as sent
	thinkTemplate                     // chat_template_kwargs, beside reasoning_effort
	thinkPlain                        // reasoning_effort, none included
	thinkDeepSeek                     // thinking{type}, beside reasoning_effort
	thinkZhipu                        // thinking{type,clear_thinking}, beside reasoning_effort
	thinkObject                       // OpenRouter's reasoning{}
	thinkMiniMax                      // thinking{type} adaptive or disabled, newer models only
	thinkSwitch                       // thinking{type} alone
	thinkQwen                         // enable_thinking and thinking_budget
)

// textForm is what a server leaves in the text of its models' answers.
type textForm uint8

const (
	textTokens textForm = iota // at most calls between tokens of the model's own, where its parser fails
	textAll                    // whatever the model writes, if it was started without parsers
	textPlain                  // nothing
)

// historyForm is how earlier reasoning goes back to a server.
type historyForm uint8

const (
	historyDrop     historyForm = iota // not at all
	historyBoth                        // reasoning and reasoning_content
	historyPlain                       // reasoning
	historyContent                     // reasoning_content
	historyRequired                    // reasoning_content, with every tool call
	historyDetails                     // reasoning_details of the model's family unchanged, and reasoning
	historyTags                        // reasoning_details of the family, else think tags in the content
)

// tuned returns the profile for an endpoint's settings.
func (p Profile) tuned(s codec.Settings) (Profile, error) {
	if strings.Trim(strings.ToLower(s.Slug), "abcdefghijklmnopqrstuvwxyz0123456789_.-/") != "" {
		return Profile{}, fmt.Errorf("slug %q: only letters, digits, '_', '.', '-' and '/' are allowed", s.Slug)
	}
	if p.tune != nil {
		p.tune(&p, s)
	}
	return p, nil
}
