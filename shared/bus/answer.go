package bus

import (
	"strings"

	"github.com/nats-io/nats.go"
)

// Answer replies to a question, if it asks for the reply in an inbox. Whoever
// asks chooses the subject of the reply, and a process may publish to subjects
// that are not for the one who asks: a question must not make it write there.
func Answer(m *nats.Msg, data []byte) {
	if strings.HasPrefix(m.Reply, inboxPrefix) {
		_ = m.Respond(data) // who has asked gives up by itself
	}
}
