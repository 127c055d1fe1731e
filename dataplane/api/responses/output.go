package responses

import (
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// output turns the events of an answer into output items, and into the stream
// events that tell of them if there is a stream. Texts are kept as the insides
// of string literals, as they came.
type output struct {
	tools *tools
	// events is where stream events go, nil for an answer in one piece.
	events *events
	// suffix makes the ids of this answer's items different from all others'.
	suffix string

	// items are the finished items, next the index of the one after them and
	// after those that are open.
	items []byte
	next  int

	// The open item; calls are open side by side.
	kind  itemKind
	id    []byte // a literal
	index int
	part  partKind
	parts []byte // of a message: its finished parts
	count int    // of these
	place []byte // what the open part's deltas have ahead of their text
	text  []byte
	notes []byte // the annotations of the open part, each behind a comma
	noted int    // how many
	probs []byte // its logprobs, likewise
	calls []call

	// sealed are the signed or encrypted thoughts that wait for the end of their
	// item, each behind a comma.
	sealed []byte
}

type itemKind uint8

const (
	noItem itemKind = iota
	messageItem
	reasoningItem
	callItems
)

type partKind uint8

const (
	noPart partKind = iota
	textPart
	refusalPart
)

// call is a call of a tool that is being written.
type call struct {
	// index is the call's among the answer's calls, item that of its item.
	index, item int
	id          []byte // the item's, a literal
	callID      chat.Literal
	tool        tool
	args        []byte
}

func (o *output) reset(t *tools, e *events) {
	*o = output{
		tools: t, events: e, items: o.items[:0], parts: o.parts[:0], place: o.place[:0], text: o.text[:0], notes: o.notes[:0], probs: o.probs[:0],
		calls: o.calls[:0], sealed: o.sealed[:0],
	}
}

// add takes in one event. A response has one choice.
func (o *output) add(ev *chat.Event) {
	if ev.Choice != 0 {
		return
	}
	if len(ev.Reasoning) > 2 {
		o.think(rawjson.Inner(ev.Reasoning))
	}
	if ev.Details != nil {
		for item := range rawjson.Elements(ev.Details) {
			o.detail(item, len(ev.Reasoning) > 2)
		}
	}
	if len(ev.Content) > 2 {
		o.say(textPart, rawjson.Inner(ev.Content), ev.Logprobs)
	}
	if len(ev.Refusal) > 2 {
		o.say(refusalPart, rawjson.Inner(ev.Refusal), nil)
	}
	if ev.Annotations != nil {
		for note := range rawjson.Elements(ev.Annotations) {
			o.annotate(note)
		}
	}
	for i := range ev.Tools {
		o.tool(&ev.Tools[i])
	}
	if ev.Images != nil {
		for picture := range rawjson.Elements(ev.Images) {
			o.image(picture)
		}
	}
}

// end finishes what is open. status is that of the last item.
func (o *output) end(status string) {
	o.close(status)
	o.flushSealed()
}

// close finishes the open item.
func (o *output) close(status string) {
	switch o.kind {
	case messageItem:
		o.closeMessage(status)
	case reasoningItem:
		o.closeReasoning(status)
	case callItems:
		o.closeCalls(status)
	case noItem:
	}
	o.kind = noItem
}

// enter makes an item of a kind the open one.
func (o *output) enter(kind itemKind) bool {
	if o.kind == kind {
		return false
	}
	o.close(completed)
	if kind != reasoningItem {
		o.flushSealed()
	}
	o.kind, o.text = kind, o.text[:0]
	if kind != callItems {
		prefix := "msg_"
		if kind == reasoningItem {
			prefix = "rs_"
		}
		o.id, o.index = o.appendID(o.id[:0], prefix, o.next), o.next
		o.next++
	}
	return true
}

func (o *output) appendID(dst []byte, prefix string, index int) []byte {
	dst = append(append(append(dst, '"'), prefix...), o.suffix...)
	return append(strconv.AppendInt(append(dst, '_'), int64(index), 10), '"')
}

// finish adds a finished item.
func (o *output) finish(item []byte) {
	if len(o.items) > 0 {
		o.items = append(o.items, ',')
	}
	o.items = append(o.items, item...)
}

// Messages

func (o *output) say(kind partKind, text, logprobs []byte) {
	if o.enter(messageItem) {
		o.part, o.parts, o.count = noPart, o.parts[:0], 0
		o.events.added(o.index, o.message(nil, "in_progress"))
	}
	if o.part != kind {
		o.closePart()
		o.part, o.text, o.notes, o.noted, o.probs = kind, o.text[:0], o.notes[:0], 0, o.probs[:0]
		o.place = appendPlace(o.place[:0], o.id, o.index, o.count)
		o.events.partAdded(o.id, o.index, o.count, o.openPart(nil))
	}
	o.text = append(o.text, text...)
	if kind == refusalPart {
		o.events.delta("response.refusal.delta", o.id, o.index, `"content_index":`, o.count, text)
		return
	}
	var probs []byte
	if logprobs != nil {
		if probs = chat.Member(logprobs, "content"); len(probs) > 2 {
			o.probs = append(append(o.probs, ','), probs[1:len(probs)-1]...)
		}
	}
	o.events.textDelta(o.place, text, probs)
}

// message appends the message with the parts that are finished.
func (o *output) message(dst []byte, status string) []byte {
	dst = append(append(dst, `{"type":"message","id":`...), o.id...)
	dst = append(append(append(dst, `,"status":"`...), status...), `","role":"assistant","content":[`...)
	return append(append(dst, o.parts...), `]}`...)
}

// openPart appends the open part as it is now.
func (o *output) openPart(dst []byte) []byte {
	if o.part == refusalPart {
		return append(append(append(dst, `{"type":"refusal","refusal":"`...), o.text...), `"}`...)
	}
	dst = append(append(append(dst, `{"type":"output_text","text":"`...), o.text...), `","annotations":[`...)
	dst = append(append(dst, afterComma(o.notes)...), `],"logprobs":[`...)
	return append(append(dst, afterComma(o.probs)...), ']', '}')
}

func (o *output) closePart() {
	if o.part == noPart {
		return
	}
	part := o.openPart(nil)
	if o.part == refusalPart {
		o.events.done("response.refusal.done", o.id, o.index, `"content_index":`, o.count, `"refusal":"`, o.text, nil)
	} else {
		o.events.done("response.output_text.done", o.id, o.index, `"content_index":`, o.count, `"text":"`, o.text, o.probs)
	}
	o.events.partDone(o.id, o.index, o.count, part)
	if len(o.parts) > 0 {
		o.parts = append(o.parts, ',')
	}
	o.parts = append(o.parts, part...)
	o.count++
	o.part = noPart
}

func (o *output) closeMessage(status string) {
	o.closePart()
	item := o.message(nil, status)
	o.events.itemDone(o.index, item)
	o.finish(item)
}

// annotate adds a citation to the open text. Chat completions keep its members
// one level deeper.
func (o *output) annotate(note []byte) {
	if o.kind != messageItem || o.part != textPart {
		return // there is no text to cite for
	}
	kind := chat.Member(note, "type")
	inner := chat.Member(note, string(rawjson.Inner(kind)))
	if len(inner) > 2 && inner[0] == '{' {
		note = append(append(append([]byte(`{"type":`), kind...), ','), inner[1:]...)
	}
	o.events.annotation(o.id, o.index, o.count, o.noted, note)
	o.notes = append(append(o.notes, ','), note...)
	o.noted++
}

// image adds a picture, which comes as a data: URL.
func (o *output) image(picture []byte) {
	url := rawjson.Inner(chat.Member(chat.Member(picture, "image_url"), "url"))
	for i, ch := range url {
		if ch == ',' {
			url = url[i+1:]
			break
		}
	}
	o.close(completed)
	index := o.next
	o.next++
	head := o.appendID([]byte(`{"type":"image_generation_call","id":`), "ig_", index)
	o.events.added(index, append(slices.Clip(head), `,"status":"in_progress","result":null}`...))
	item := append(append(append(head, `,"status":"completed","result":"`...), url...), `"}`...)
	o.events.itemDone(index, item)
	o.finish(item)
}

// Reasoning

func (o *output) think(text []byte) {
	o.openReasoning()
	if o.count == 0 {
		o.count = 1
		o.events.summaryPart("response.reasoning_summary_part.added", o.id, o.index, nil)
	}
	o.text = append(o.text, text...)
	o.events.delta("response.reasoning_summary_text.delta", o.id, o.index, `"summary_index":`, 0, text)
}

func (o *output) openReasoning() {
	if o.enter(reasoningItem) {
		o.count = 0
		o.events.added(o.index, o.reasoning(nil, "in_progress"))
	}
}

func (o *output) reasoning(dst []byte, status string) []byte {
	dst = append(append(dst, `{"type":"reasoning","id":`...), o.id...)
	dst = append(append(append(dst, `,"status":"`...), status...), `","summary":[`...)
	if o.count > 0 && status != "in_progress" {
		dst = append(append(append(dst, `{"type":"summary_text","text":"`...), o.text...), `"}`...)
	}
	dst = append(dst, `],"encrypted_content":`...)
	if len(o.sealed) == 0 || status == "in_progress" {
		return append(dst, `null}`...)
	}
	list := append(append([]byte{'['}, afterComma(o.sealed)...), ']')
	return append(api.AppendSealed(dst, list), '}')
}

func (o *output) closeReasoning(status string) {
	if o.count > 0 {
		o.events.done("response.reasoning_summary_text.done", o.id, o.index, `"summary_index":`, 0, `"text":"`, o.text, nil)
		o.events.summaryPart("response.reasoning_summary_part.done", o.id, o.index, o.text)
	}
	item := o.reasoning(nil, status)
	o.sealed = o.sealed[:0]
	o.events.itemDone(o.index, item)
	o.finish(item)
}

// detail takes in one of reasoning_details. shown is true if its text is the
// event's reasoning as well. What is signed or encrypted has to come back as it
// is: it travels sealed in encrypted_content.
func (o *output) detail(item []byte, shown bool) {
	if !shown {
		for _, name := range []string{"text", "summary"} {
			if text := chat.Member(item, name); canonical.IsText(text) {
				o.think(rawjson.Inner(text))
			}
		}
	}
	signature, data := chat.Member(item, "signature"), chat.Member(item, "data")
	switch {
	case canonical.IsText(signature) && kindOf(item) == "reasoning.text":
		// The signature comes after the text that it is for.
		o.openReasoning()
		o.sealed = append(append(append(o.sealed, `,{"type":"reasoning.text","text":"`...), o.text...), `","signature":`...)
		o.sealed = append(o.sealed, signature...)
		for _, own := range []string{"format", "id", "index"} {
			if val := chat.Member(item, own); !rawjson.IsNull(val) {
				o.sealed = append(append(append(o.sealed, `,"`+own...), `":`...), val...)
			}
		}
		o.sealed = append(o.sealed, '}')
		o.close(completed)
	case canonical.IsText(signature) || canonical.IsText(data):
		o.sealed = append(append(o.sealed, ','), item...)
		if o.kind == noItem {
			o.flushSealed()
		}
	}
}

// flushSealed gives thoughts without an item of their own one.
func (o *output) flushSealed() {
	if len(o.sealed) > 0 {
		o.openReasoning()
		o.close(completed)
	}
}

func afterComma(list []byte) []byte {
	if len(list) == 0 {
		return nil
	}
	return list[1:]
}
