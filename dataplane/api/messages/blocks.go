package messages

import (
	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// sink takes an answer's content blocks, one after the other. Texts are the
// insides of literals.
type sink interface {
	// open begins a block. id and name are literals, of a call only.
	open(kind blockKind, id, name []byte)
	// add adds to the open block.
	add(kind deltaKind, text []byte)
	// close ends the open block.
	close()
}

// imageNote stands for an image that the model made: messages have no block for one.
const imageNote = `"\n\n[The model made an image here, which messages cannot carry]"`

type blockKind uint8

const (
	noBlock blockKind = iota
	textBlock
	thinkingBlock
	redactedBlock
	toolBlock
)

type deltaKind uint8

const (
	textDelta deltaKind = iota
	thinkingDelta
	signatureDelta
	argumentsDelta
)

// blocks sorts the events of an answer into content blocks.
type blocks struct {
	to   sink
	kind blockKind
	// signed: the open thinking block has its signature and is complete.
	signed bool
	// call is the index of the open call, calls those that were opened.
	call  int
	calls []int
	args  arguments
	// held are calls that came before the open one was complete, sealed the
	// details of other providers. They wait for the end of the open block:
	// blocks cannot be interleaved.
	held   []heldCall
	sealed [][]byte
}

type heldCall struct {
	index          int
	id, name, args []byte
}

// add takes in one event. Only the first choice has a place in a message.
func (b *blocks) add(ev *chat.Event) {
	if ev.Choice != 0 {
		return
	}
	if len(ev.Reasoning) > 2 {
		b.think(rawjson.Inner(ev.Reasoning))
	}
	if ev.Details != nil {
		b.details(ev.Details, len(ev.Reasoning) > 2)
	}
	b.text(ev.Content)
	b.text(ev.Refusal)
	if ev.Images != nil {
		b.text([]byte(imageNote))
	}
	for i := range ev.Tools {
		b.tool(&ev.Tools[i])
	}
}

// end closes the last block.
func (b *blocks) end() {
	b.close()
	for len(b.held) > 0 {
		b.release()
		b.close()
	}
	b.flushSealed()
}

func (b *blocks) close() {
	if b.kind == toolBlock {
		if rest := b.args.end(); len(rest) > 0 {
			b.to.add(argumentsDelta, rest)
		}
	}
	if b.kind != noBlock {
		b.to.close()
		b.kind = noBlock
	}
}

// enter makes a block of a kind the open one.
func (b *blocks) enter(kind blockKind) {
	if b.kind == kind {
		return
	}
	b.end()
	b.kind, b.signed = kind, false
	b.to.open(kind, nil, nil)
}

func (b *blocks) text(literal []byte) {
	if len(literal) > 2 {
		b.enter(textBlock)
		b.to.add(textDelta, rawjson.Inner(literal))
	}
}

func (b *blocks) think(text []byte) {
	if b.signed && b.kind == thinkingBlock {
		b.close()
	}
	b.enter(thinkingBlock)
	b.to.add(thinkingDelta, text)
}

// details takes in reasoning_details. Their text is the event's reasoning,
// unless the provider gives it here only.
func (b *blocks) details(list []byte, told bool) {
	var c rawjson.Cursor
	c.Reset(list)
	if !c.Array() {
		return
	}
	for c.Elem() {
		b.detail(c.Raw(), told)
	}
}

func (b *blocks) detail(item []byte, told bool) {
	if !told {
		for _, name := range []string{"text", "summary"} {
			if text := chat.Member(item, name); canonical.IsText(text) {
				b.think(rawjson.Inner(text))
			}
		}
	}
	own := string(rawjson.Inner(chat.Member(item, "format"))) == anthropic.Format
	signature, data := chat.Member(item, "signature"), chat.Member(item, "data")
	switch {
	case own && canonical.IsText(data):
		b.redacted(data)
	case own && canonical.IsText(signature):
		if b.kind != thinkingBlock || b.signed {
			b.close()
			b.enter(thinkingBlock) // it shows nothing of what was thought
		}
		b.to.add(signatureDelta, rawjson.Inner(signature))
		b.signed = true
	case canonical.IsText(signature) || canonical.IsText(data):
		b.sealed = append(b.sealed, api.AppendSealed(nil, item))
		if b.kind == noBlock {
			b.flushSealed()
		}
	}
}

func (b *blocks) redacted(data []byte) {
	b.end()
	b.to.open(redactedBlock, data, nil)
	b.to.close()
}

func (b *blocks) flushSealed() {
	for _, data := range b.sealed {
		b.to.open(redactedBlock, data, nil)
		b.to.close()
	}
	b.sealed = b.sealed[:0]
}
