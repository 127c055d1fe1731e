package responses

import (
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

const completed = "completed"

// events writes stream events into a buffer. A nil one writes nothing: an
// answer in one piece has none.
type events struct {
	buf      []byte
	sequence int64
}

// open begins an event, up to its own members.
func (e *events) open(name string) {
	e.buf = append(append(append(e.buf, "event: "...), name...), "\ndata: {\"type\":\""...)
	e.buf = append(append(e.buf, name...), `","sequence_number":`...)
	e.buf = strconv.AppendInt(e.buf, e.sequence, 10)
	e.sequence++
}

func (e *events) close() { e.buf = append(e.buf, "}\n\n"...) }

func (e *events) put(text string) { e.buf = append(e.buf, text...) }

func (e *events) int(key string, n int) {
	e.buf = strconv.AppendInt(append(append(e.buf, ','), key...), int64(n), 10)
}

func (e *events) raw(key string, val []byte) {
	e.buf = append(append(append(e.buf, ','), key...), val...)
}

// place writes which item an event is about.
func (e *events) place(id []byte, index int) {
	e.raw(`"item_id":`, id)
	e.int(`"output_index":`, index)
}

func (e *events) added(index int, item []byte) { e.item("response.output_item.added", index, item) }

func (e *events) itemDone(index int, item []byte) { e.item("response.output_item.done", index, item) }

func (e *events) item(name string, index int, item []byte) {
	if e == nil {
		return
	}
	e.open(name)
	e.int(`"output_index":`, index)
	e.raw(`"item":`, item)
	e.close()
}

func (e *events) partAdded(id []byte, index, part int, object []byte) {
	e.contentPart("response.content_part.added", id, index, part, object)
}

func (e *events) partDone(id []byte, index, part int, object []byte) {
	e.contentPart("response.content_part.done", id, index, part, object)
}

func (e *events) contentPart(name string, id []byte, index, part int, object []byte) {
	if e == nil {
		return
	}
	e.open(name)
	e.place(id, index)
	e.int(`"content_index":`, part)
	e.raw(`"part":`, object)
	e.close()
}

// delta writes a fragment of a text, which is the inside of a literal. key and
// n say which part of the item it belongs to, key "" for none.
func (e *events) delta(name string, id []byte, index int, key string, n int, text []byte) {
	if e == nil {
		return
	}
	e.open(name)
	e.place(id, index)
	if key != "" {
		e.int(key, n)
	}
	e.put(`,"delta":"`)
	e.buf = append(append(e.buf, text...), '"')
	e.close()
}

// textDelta writes a fragment of a part's text, which is what nearly all events
// are. place are the members ahead of it, see appendPlace.
func (e *events) textDelta(place, text, probs []byte) {
	if e == nil {
		return
	}
	const head = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":"
	e.buf = strconv.AppendInt(append(e.buf, head...), e.sequence, 10)
	e.sequence++
	e.buf = append(append(append(e.buf, place...), text...), `","logprobs":`...)
	if len(probs) > 2 {
		e.buf = append(append(e.buf, probs...), "}\n\n"...)
		return
	}
	e.buf = append(e.buf, "[]}\n\n"...)
}

// appendPlace appends the members of a part's deltas, up to the inside of their text.
func appendPlace(dst, id []byte, index, part int) []byte {
	dst = append(append(dst, `,"item_id":`...), id...)
	dst = strconv.AppendInt(append(dst, `,"output_index":`...), int64(index), 10)
	dst = strconv.AppendInt(append(dst, `,"content_index":`...), int64(part), 10)
	return append(dst, `,"delta":"`...)
}

// done writes a text that is complete, under the member that open begins.
func (e *events) done(name string, id []byte, index int, key string, n int, open string, text, probs []byte) {
	if e == nil {
		return
	}
	e.open(name)
	e.place(id, index)
	if key != "" {
		e.int(key, n)
	}
	e.put(`,` + open)
	e.buf = append(append(e.buf, text...), '"')
	if name == "response.output_text.done" {
		e.put(`,"logprobs":[`)
		e.buf = append(append(e.buf, afterComma(probs)...), ']')
	}
	e.close()
}

func (e *events) callDone(id []byte, index int, name string, args []byte) {
	if e == nil {
		return
	}
	e.open("response.function_call_arguments.done")
	e.place(id, index)
	e.put(`,"name":`)
	e.buf = rawjson.AppendString(e.buf, name)
	e.put(`,"arguments":"`)
	e.buf = append(append(e.buf, args...), '"')
	e.close()
}

// annotation writes the nth annotation of a part.
func (e *events) annotation(id []byte, index, part, n int, note []byte) {
	if e == nil {
		return
	}
	e.open("response.output_text.annotation.added")
	e.place(id, index)
	e.int(`"content_index":`, part)
	e.int(`"annotation_index":`, n)
	e.raw(`"annotation":`, note)
	e.close()
}

func (e *events) summaryPart(name string, id []byte, index int, text []byte) {
	if e == nil {
		return
	}
	e.open(name)
	e.place(id, index)
	e.put(`,"summary_index":0,"part":{"type":"summary_text","text":"`)
	e.buf = append(e.buf, text...)
	e.put(`"}`)
	e.close()
}

// response writes an event that carries the response object.
func (e *events) response(name string, object []byte) {
	e.open(name)
	e.raw(`"response":`, object)
	e.close()
}
