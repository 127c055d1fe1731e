package messages

import (
	"github.com/hybridinference/gateway/adapters/chat"
)

// answer gathers the events of an answer that is not streamed into a message.
// Reset has to come first.
type answer struct {
	blocks blocks
	// content are the finished blocks.
	content []byte
	finish  chat.Finish
	native  []byte

	// The open block: its text and signature are insides of literals.
	kind            blockKind
	id, name        []byte
	text, signature []byte
}

// Reset prepares for another answer.
func (a *answer) Reset() {
	*a = answer{content: a.content[:0], native: a.native[:0], text: a.text[:0], signature: a.signature[:0]}
	a.blocks.to = a
}

// Event takes in one event, of which it keeps nothing.
func (a *answer) Event(ev *chat.Event) {
	if ev.Finish != chat.NotFinished && ev.Choice == 0 {
		a.finish, a.native = ev.Finish, append(a.native[:0], ev.Native...)
	}
	a.blocks.add(ev)
}

// Append appends the message object.
func (a *answer) Append(dst []byte, id, model string, u *chat.Usage) []byte {
	a.blocks.end()
	dst = append(appendHead(dst, id, model), `,"content":[`...)
	dst = append(append(dst, a.content...), `],"stop_reason":"`...)
	dst = append(append(dst, stopReason(a.finish, a.native, len(a.blocks.calls) > 0)...), `","stop_sequence":null,"usage":`...)
	return append(appendUsage(dst, u), '}')
}

func (a *answer) open(kind blockKind, id, name []byte) {
	a.kind, a.text, a.signature = kind, a.text[:0], a.signature[:0]
	a.id, a.name = append(a.id[:0], id...), append(a.name[:0], name...)
}

func (a *answer) add(kind deltaKind, text []byte) {
	if kind == signatureDelta {
		a.signature = append(a.signature, text...)
		return
	}
	a.text = append(a.text, text...)
}

func (a *answer) close() {
	if len(a.content) > 0 {
		a.content = append(a.content, ',')
	}
	switch a.kind {
	case textBlock, noBlock:
		a.member(`{"type":"text","text":"`, a.text).put(`"}`)
	case thinkingBlock:
		a.member(`{"type":"thinking","thinking":"`, a.text).member(`","signature":"`, a.signature).put(`"}`)
	case redactedBlock:
		a.member(`{"type":"redacted_thinking","data":`, a.id).put(`}`)
	case toolBlock:
		a.member(`{"type":"tool_use","id":`, appendOr(nil, a.id)).member(`,"name":`, appendOr(nil, a.name)).member(`,"input":`, chat.AppendArguments(nil, append(append([]byte{'"'}, a.text...), '"'))).put(`}`)
	}
}

func (a *answer) member(text string, raw []byte) *answer {
	a.content = append(append(a.content, text...), raw...)
	return a
}

func (a *answer) put(text string) { a.content = append(a.content, text...) }
