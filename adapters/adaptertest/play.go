package adaptertest

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/shared/fault"
)

// Transcript is what a decoder made of an answer.
type Transcript struct {
	Answer
	// Events are the events as text, one per line.
	Events []string
	// Err is the fault that ended the answer, nil if it was complete.
	Err *fault.Error
	// eof means that the end of the stream, not an event, ended the answer.
	eof      bool
	finished map[int]bool
	// broken are the contract's rules that were not kept.
	broken []string
}

func (tr *Transcript) take(events []chat.Event, err error) {
	tr.Add(events...)
	for i := range events {
		tr.Events = append(tr.Events, render(&events[i]))
		tr.finishOnce(&events[i])
		if msg := malformed(&events[i]); msg != "" {
			tr.broken = append(tr.broken, msg)
		}
	}
	if err != nil {
		tr.Err = fault.From(err)
	}
	if tr.Err == nil && tr.Fault != nil {
		tr.Err = tr.Fault
	}
}

// finishOnce notes a choice that goes on after its finish reason. Usage,
// signatures and empty text may follow.
func (tr *Transcript) finishOnce(ev *chat.Event) {
	more := ev.Finish != chat.NotFinished || len(ev.Content) > 2 || len(ev.Reasoning) > 2 || len(ev.Tools) > 0
	if tr.finished[ev.Choice] && more {
		tr.broken = append(tr.broken, "a choice goes on after its finish reason: "+render(ev))
	}
	if ev.Finish != chat.NotFinished {
		tr.finished[ev.Choice] = true
	}
}

func (tr *Transcript) ended() bool { return tr.Err != nil || tr.Done }

// wire is a server-sent event with bytes of its own.
type wire struct{ name, data string }

// cut reads a stream that arrives in pieces of the given size.
func cut(stream []byte, piece int) []wire { return cutBy(new(sse.Reader), stream, piece) }

// framesOf returns the reader of an adapter's streams.
func framesOf(a codec.Adapter) codec.Frames {
	if framed, ok := a.(codec.Framed); ok {
		return framed.Frames()
	}
	return new(sse.Reader)
}

func cutBy(r codec.Frames, stream []byte, piece int) []wire {
	var out []wire
	for len(stream) > 0 {
		n := copy(r.Space(), stream[:min(piece, len(stream))])
		r.Advance(n)
		stream = stream[n:]
		out = drain(r, out)
	}
	if ev, ok := r.End(); ok {
		out = append(out, wire{string(ev.Name), string(ev.Data)})
	}
	return out
}

func drain(r codec.Frames, out []wire) []wire {
	for {
		ev, ok, err := r.Next()
		if err != nil || !ok {
			return out
		}
		out = append(out, wire{string(ev.Name), string(ev.Data)})
	}
}

// Stream decodes a stream that arrives in pieces of the given size, the
// way the gateway does: it stops at the terminal event or the first fault.
func Stream(a codec.Adapter, stream []byte, piece int) *Transcript {
	return play(a, cutBy(framesOf(a), stream, piece))
}

// play decodes events. Each event's bytes are overwritten once the decoder has
// returned: it may keep none of them.
func play(a codec.Adapter, events []wire) *Transcript {
	d := a.Decoder()
	tr := &Transcript{finished: map[int]bool{}}
	var out []chat.Event
	for _, ev := range events {
		name, data := []byte(ev.name), []byte(ev.data)
		var err error
		out, err = d.Event(name, data, out[:0])
		tr.take(out, err)
		overwrite(data)
		if tr.ended() {
			return tr
		}
	}
	tr.eof = true
	out, err := d.EOF(out[:0])
	tr.take(out, err)
	return tr
}

func overwrite(b []byte) {
	for i := range b {
		b[i] = '#'
	}
}

// Body decodes a unary answer of status 200.
func Body(a codec.Adapter, body []byte) *Transcript {
	tr := &Transcript{finished: map[int]bool{}}
	body = bytes.Clone(body)
	tr.take(a.Decoder().Body(body, nil))
	overwrite(body)
	return tr
}

// render writes an event as text that shows all of it.
func render(ev *chat.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d content=%s reasoning=%s refusal=%s details=%s", ev.Choice, ev.Content, ev.Reasoning, ev.Refusal, ev.Details)
	for _, t := range ev.Tools {
		fmt.Fprintf(&b, " tool[%d %s %s %s %s]", t.Index, t.ID, t.Name, t.Arguments, t.Extra)
	}
	fmt.Fprintf(&b, " annotations=%s images=%s audio=%s logprobs=%s extra=%s", ev.Annotations, ev.Images, ev.Audio, ev.Logprobs, ev.Extra)
	fmt.Fprintf(&b, " finish=%s/%s id=%s fingerprint=%s tier=%s done=%v", ev.Finish, ev.Native, ev.ID, ev.Fingerprint, ev.ServiceTier, ev.Done)
	if ev.Usage != nil {
		fmt.Fprintf(&b, " usage=%+v", *ev.Usage)
	}
	if ev.Fault != nil {
		fmt.Fprintf(&b, " fault=%v", ev.Fault)
	}
	return b.String()
}
