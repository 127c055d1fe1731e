package upstream

import (
	"strconv"
	"strings"
	"time"
)

// stream sends an answer event by event, each in a chunk and a write of its own.
func (x *exchange) stream() error {
	x.begin("text/event-stream", -1)
	x.openChunks()
	x.due = time.Now()
	n := x.length()
	at, strikes := x.script.Fault.within(n)
	for i := 0; ; i++ {
		if strikes && i == at {
			if done, err := x.strikeStream(); done || err != nil {
				return err
			}
		}
		if i == n {
			break
		}
		if err := x.step(i); err != nil {
			return err
		}
	}
	x.tail(n)
	return x.end()
}

// strikeStream lets the fault happen; done means that it was the stream's end.
func (x *exchange) strikeStream() (done bool, err error) {
	if err := x.strike(); err != nil {
		return false, err
	}
	f := &x.script.Fault
	switch f.Kind {
	case Half:
		return true, x.end()
	case ErrorEvent:
		data := f.Data
		if data == "" {
			data = `data: {"error":{"message":"scripted failure","type":"server_error","code":500}}` + "\n\n"
		}
		x.piece(data)
		return true, x.end()
	default:
		return false, nil
	}
}

func (x *exchange) length() int {
	s := x.script
	switch {
	case len(s.Events) > 0:
		return len(s.Events)
	case s.Chunks > 0:
		return s.Chunks
	default:
		return 8
	}
}

// step sends chunk i when it is due.
func (x *exchange) step(i int) error {
	if pace := time.Duration(x.script.Pace); pace > 0 && i > 0 {
		x.due = x.due.Add(pace)
		if err := x.wait(x.due); err != nil {
			return err
		}
	}
	if len(x.script.Events) > 0 {
		x.piece(x.script.Events[i])
		return x.flush()
	}
	if i == 0 {
		x.piece(x.opening(), `{"role":"assistant","content":""},"finish_reason":null}]}`, "\n\n")
	}
	x.text(i)
	return x.flush()
}

// opening is how each event of this answer starts.
func (x *exchange) opening() string { return string(x.lead[:len(x.lead)-len(textLead)]) }

const (
	textLead = `{"content":"`
	textTail = `"},"finish_reason":null}]}` + "\n\n"
)

func (x *exchange) openChunks() {
	if len(x.script.Events) > 0 {
		return
	}
	x.lead = append(append(x.lead[:0], `data: {"id":"`...), x.answerID()...)
	x.lead = append(append(x.lead, `","object":"chat.completion.chunk","created":1700000000,"model":"`...), x.req.model...)
	x.lead = append(x.lead, `","choices":[{"index":0,"delta":`+textLead...)
}

// text adds chunk i: the echoed word, the chunk's number, filler.
func (x *exchange) text(i int) {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], int64(i), 10)
	fill := max(0, x.script.ChunkSize-len(x.req.marker)-len(number)-2)
	n := len(x.lead) + len(x.req.marker) + 1 + len(number) + 1 + fill + len(textTail)
	if x.chunked {
		x.buf = append(strconv.AppendInt(x.buf, int64(n), 16), "\r\n"...)
	}
	x.buf = append(append(append(x.buf, x.lead...), x.req.marker...), ' ')
	x.buf = append(append(x.buf, number...), ' ')
	for range fill {
		x.buf = append(x.buf, '.')
	}
	x.buf = append(x.buf, textTail...)
	if x.chunked {
		x.buf = append(x.buf, "\r\n"...)
	}
}

// tail adds what follows the text: finish_reason, usage, [DONE].
func (x *exchange) tail(n int) {
	s := x.script
	if len(s.Events) > 0 {
		return
	}
	x.piece(x.opening(), `{},"finish_reason":"`, x.finish(), `"}]}`, "\n\n")
	if x.req.usage && !s.NoUsage {
		start, _, _ := strings.Cut(x.opening(), `"choices":`)
		x.piece(start, `"choices":[],"usage":`, x.usage(n), "}\n\n")
	}
	if !s.NoDone {
		x.piece("data: [DONE]\n\n")
	}
}
