package transcriptions

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// stream writes OpenAI's events: those of the upstream as they came, and for any
// other answer the ones that say the same.
type stream struct {
	buf    []byte
	answer *answer
	done   []byte // the upstream's last event
}

// Begin implements api.Stream.
func (s *stream) Begin(api.Head) {}

// Event implements api.Stream.
func (s *stream) Event(ev *chat.Event) {
	switch {
	case ev.Raw != nil && ev.Done:
		s.done = append(s.done[:0], ev.Raw...)
	case ev.Raw != nil:
		s.buf = api.AppendEvent(s.buf, nil, ev.Raw)
	case len(ev.Content) > len(`""`):
		s.buf = append(append(s.buf, `data: {"type":"transcript.text.delta","delta":`...), ev.Content...)
		s.buf = append(s.buf, "}\n\n"...)
	}
}

// KeepAlive implements api.Stream.
func (s *stream) KeepAlive() { s.buf = append(s.buf, ": keep-alive\n\n"...) }

// End implements api.Stream.
func (s *stream) End(total *api.Total) {
	s.buf = append(s.buf, "data: "...)
	if len(s.done) > 0 {
		s.buf = append(api.AppendCost(s.buf, s.done, total), "\n\n"...)
		return
	}
	s.buf = append(append(s.buf, `{"type":"transcript.text.done","text":"`...), s.answer.text...)
	s.buf = append(s.buf, '"')
	if u := &total.Usage; !u.Zero() && !u.Estimated {
		s.buf = strconv.AppendInt(append(s.buf, `,"usage":{"type":"tokens","input_tokens":`...), u.Prompt, 10)
		s.buf = strconv.AppendInt(append(s.buf, `,"output_tokens":`...), u.Completion, 10)
		s.buf = strconv.AppendInt(append(s.buf, `,"total_tokens":`...), u.Prompt+u.Completion, 10)
		if total.Cost != "" {
			s.buf = append(append(s.buf, `,"cost":`...), total.Cost...)
		}
		s.buf = append(s.buf, '}')
	}
	s.buf = append(s.buf, "}\n\n"...)
}

// Fail implements api.Stream.
func (s *stream) Fail(p *problem.Problem) {
	s.buf = append(p.Append(append(s.buf, "data: "...)), "\n\n"...)
}

// Buffer implements api.Stream.
func (s *stream) Buffer() *[]byte { return &s.buf }
