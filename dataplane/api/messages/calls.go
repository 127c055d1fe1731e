package messages

import (
	"bytes"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// tool takes in a fragment of a call.
func (b *blocks) tool(t *chat.ToolDelta) {
	if b.kind == toolBlock && b.call == t.Index {
		b.arguments(rawjson.Inner(t.Arguments))
		return
	}
	if slices.Contains(b.calls, t.Index) {
		return // complete already: what follows is white space
	}
	if b.kind == toolBlock && !b.args.complete() || len(b.held) > 0 {
		b.hold(t)
		return
	}
	b.openCall(t.Index, t.ID, t.Name)
	b.arguments(rawjson.Inner(t.Arguments))
}

func (b *blocks) openCall(index int, id, name []byte) {
	b.close()
	b.flushSealed()
	b.kind, b.call = toolBlock, index
	b.args.reset()
	b.calls = append(b.calls, index)
	b.to.open(toolBlock, id, name)
}

// arguments adds to the open call. When that completes it, the next one that
// waits takes its place.
func (b *blocks) arguments(text []byte) {
	if len(text) == 0 {
		return
	}
	b.feed(text)
	for b.args.complete() && len(b.held) > 0 {
		b.release()
	}
}

func (b *blocks) hold(t *chat.ToolDelta) {
	for i := range b.held {
		if h := &b.held[i]; h.index == t.Index {
			h.args = append(h.args, rawjson.Inner(t.Arguments)...)
			return
		}
	}
	b.held = append(b.held, heldCall{t.Index, bytes.Clone(t.ID), bytes.Clone(t.Name), bytes.Clone(rawjson.Inner(t.Arguments))})
}

// release opens the first call that waits.
func (b *blocks) release() {
	h := b.held[0]
	b.held = b.held[1:]
	b.openCall(h.index, h.id, h.name)
	b.feed(h.args)
}

func (b *blocks) feed(text []byte) {
	if out := b.args.feed(text); len(out) > 0 {
		b.to.add(argumentsDelta, out)
	}
}
