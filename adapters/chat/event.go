package chat

import "github.com/hybridinference/gateway/shared/fault"

// Literal is a JSON string literal with its quotes; nil means absent.
type Literal []byte

// Event is one step of an answer. A decoder fills what the provider's chunk
// had; the spans are valid until the decoder's next call.
type Event struct {
	// Choice is the index of the choice that the event belongs to.
	Choice int

	Content   Literal
	Reasoning Literal
	Refusal   Literal
	// Details is a raw array of reasoning_details.
	Details []byte
	Tools   []ToolDelta
	// Annotations and Images are raw arrays, Audio and Logprobs raw objects.
	Annotations, Images, Audio, Logprobs []byte

	// Extra is a raw object, extra_content: what has to come back with the message,
	// such as the signature of a thought.
	Extra []byte

	// Finish is set once per choice, with the provider's own word in Native.
	Finish Finish
	Native Literal

	// Usage is cumulative: the last one counts.
	Usage *Usage

	// ID, Fingerprint and ServiceTier describe the entire answer.
	ID, Fingerprint, ServiceTier Literal

	// Raw is the provider's own event for a client that speaks its language, or
	// its unary answer; RawName the event's name. RawShown is true of what a
	// client shows, whatever else is known of it.
	Raw, RawName []byte
	RawShown     bool

	// Fault is an error that the provider sent inside a 200.
	Fault *fault.Error
	// Done is the protocol's terminal event: nothing comes after it.
	Done bool
}

// HasContent reports whether the event carries something that a client shows:
// the moment from which a stream is committed.
func (e *Event) HasContent() bool {
	return len(e.Content) > 2 || len(e.Reasoning) > 2 || len(e.Refusal) > 2 || len(e.Tools) > 0 ||
		e.Details != nil || e.Annotations != nil || e.Images != nil || e.Audio != nil || e.Extra != nil || e.RawShown
}

// ToolDelta is a fragment of a tool call.
type ToolDelta struct {
	// Index counts the calls of the message from 0.
	Index int
	// ID and Name come with the first fragment of a call only.
	ID, Name Literal
	// Arguments is a fragment of the arguments' JSON text, as a literal; of the
	// input of a tool of free text, if the call is Custom.
	Arguments Literal
	Custom    bool
	// Extra is a raw object, the call's extra_content.
	Extra []byte
}

// Finish is the normalised reason why an answer ended.
type Finish uint8

// The reasons. NotFinished is the zero value.
const (
	NotFinished Finish = iota
	FinishStop
	FinishLength
	FinishToolCalls
	FinishContentFilter
	FinishError
)

// String returns the API's word, "" for NotFinished.
func (f Finish) String() string {
	switch f {
	case FinishStop:
		return "stop"
	case FinishLength:
		return "length"
	case FinishToolCalls:
		return "tool_calls"
	case FinishContentFilter:
		return "content_filter"
	case FinishError:
		return "error"
	case NotFinished:
	}
	return ""
}
