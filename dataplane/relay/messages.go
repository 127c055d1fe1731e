package relay

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// Messages writes answers in the form of Anthropic's Messages API, streamed
// with the methods of Chunks or whole with those of Answer.
type Messages struct {
	stream messages.Stream
	whole  messages.Answer
}

// Reset prepares for another answer and keeps the memory.
func (m *Messages) Reset() {
	m.stream.Reset()
	m.whole.Reset()
}

// Begin fixes the message's id and model.
func (m *Messages) Begin(h Head) { m.stream.Begin(h.ID, h.Model) }

// Event appends what an event has to say.
func (m *Messages) Event(ev *chat.Event) { m.stream.Event(ev) }

// Comment appends an event that keeps the connection alive.
func (m *Messages) Comment() { m.stream.Comment() }

// End completes the stream.
func (m *Messages) End(t *Total) { m.stream.End(&t.Usage) }

// Fail ends the stream with an error.
func (m *Messages) Fail(p *problem.Problem) { m.stream.Fail(p.Status, p.Message, p.RequestID) }

// Buffer is what has been written and not yet sent.
func (m *Messages) Buffer() *[]byte { return &m.stream.Buf }

// Gather takes in an event of an answer that is not streamed.
func (m *Messages) Gather(ev *chat.Event) { m.whole.Event(ev) }

// Append appends the whole message.
func (m *Messages) Append(dst []byte, h Head, t *Total) []byte {
	return m.whole.Append(dst, h.ID, h.Model, &t.Usage)
}

// Buffer is what has been written and not yet sent.
func (c *Chunks) Buffer() *[]byte { return &c.Buf }
