// Package chat is the canonical form between clients and providers: a request
// scanned once, the events of an answer, and its usage. Text stays the JSON
// string literal that it arrived as; only an adapter that must look inside
// unescapes it.
package chat

import "bytes"

// MaxChoices bounds n, and the index of an answer's choices.
const MaxChoices = 64

// Request is a chat completion as the client sent it. All spans alias Body,
// which must not change while the request is in use.
type Request struct {
	Body []byte
	// Fields are the top-level members in the order of the body. Members whose
	// value is null are left out: null means absent.
	Fields []Field
	params [NumParams][]byte
	// content is that of the message at hand, during the scan only.
	content []byte

	// Model is the requested id, "" if none was given.
	Model string
	// Messages is the raw array.
	Messages []byte
	// Opening is what stays as it is while a conversation grows.
	Opening Opening
	Stream  bool
	// MaxTokens is max_completion_tokens, else max_tokens, else 0.
	MaxTokens int64
	Reasoning ReasoningOption
	// Has says what occurs in the messages, so that adapters rewrite them only
	// where they must.
	Has Feature
	// Sent is the set of known parameters with a value.
	Sent ParamSet
}

// Opening is the beginning of a conversation. Spans are raw JSON.
type Opening struct {
	// System are the messages before the user's first, with the commas between
	// them; User is the content of the user's first message.
	System, User []byte
	// Sent is how many bytes of Messages an earlier request of the conversation
	// had: those before its last message, 0 while there is no answer in it.
	Sent int
}

// Field is one top-level member.
type Field struct {
	Param Param
	// Key is without quotes. A known parameter's key is its name; any other is
	// spelled as in the body, escapes included, so that it may be copied as it
	// is. Value is raw.
	Key, Value []byte
}

// RouterParams are what OpenRouter's own servers act on, and no other does.
func RouterParams() ParamSet { return SetOf(Plugins, Preset, Transforms, StopServerToolsWhen) }

// Router returns those of RouterParams that ask for something.
func (r *Request) Router() ParamSet {
	s := r.Sent & RouterParams()
	for _, p := range [...]Param{Plugins, Transforms, StopServerToolsWhen} {
		if string(r.params[p]) == "[]" {
			s &^= SetOf(p)
		}
	}
	return s
}

// Raw returns a parameter's value, nil if it is absent.
func (r *Request) Raw(p Param) []byte { return r.params[p] }

// Set gives a parameter a value, where a request is not made by Parse.
func (r *Request) Set(p Param, raw []byte) {
	r.params[p] = raw
	r.Sent |= 1 << p
}

// ReasoningOption is what reasoning, reasoning_effort, include_reasoning and
// thinking together ask for.
type ReasoningOption struct {
	// Set is false when the client said nothing about reasoning.
	Set bool
	// On is an effort, a budget, reasoning.enabled true or thinking enabled.
	On bool
	// Off is reasoning.enabled false, effort none or thinking disabled. It
	// excludes On.
	Off bool
	// Exclude means to think but not to show it.
	Exclude bool
	// Effort is max, xhigh, high, medium, low, minimal, or "".
	Effort string
	// MaxTokens is the budget, 0 if none was given.
	MaxTokens int64
}

// EffortShare is the share of max_tokens that an effort may spend on
// reasoning, in percent; 0 for an unknown effort.
func EffortShare(effort string) int64 {
	switch effort {
	case "max", "xhigh":
		return 95
	case "high":
		return 80
	case "medium":
		return 50
	case "low":
		return 20
	case "minimal":
		return 10
	}
	return 0
}

// MarksCache reports whether a message or a tool has cache_control.
func (r *Request) MarksCache() bool {
	return r.Has&HasCacheControl != 0 || bytes.Contains(r.Raw(Tools), []byte(`"cache_control"`))
}

// Feature is a set of things that occur in a request's messages and tools.
type Feature uint32

// Media are the features that a model's inputs have to allow.
const Media = HasImage | HasAudio | HasFile | HasVideo

// The features.
const (
	HasImage        Feature = 1 << iota // an image_url part
	HasAudio                            // an input_audio part
	HasFile                             // a file part
	HasVideo                            // a video_url or input_video part
	HasParts                            // content given as an array
	HasDeveloper                        // a developer message
	HasToolCalls                        // an assistant message with tool_calls
	HasToolResults                      // a tool message
	HasCacheControl                     // cache_control on a message or part
	HasReasoning                        // reasoning, reasoning_content or reasoning_details in history
	HasNull                             // a member of a message that is null
	HasLateSystem                       // a system message after another role
	HasSystems                          // two system messages or more, one after the other
	HasPrefill                          // the last message is the assistant's, without tool calls
	HasForeign                          // a content part of no type of OpenAI's, or with members of Anthropic's; is_error
	HasResultMedia                      // an image, audio, video or file in a tool message; these are not counted above
	HasCustomCalls                      // a call of a tool of free text in an assistant message
	HasOwnImages                        // images that an assistant message made
	HasExtra                            // extra_content in a message or call
	HasForeignTool                      // a tool that is no function, or has members beside type, function and cache_control
)
