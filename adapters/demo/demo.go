// Package demo writes the answers of the demo model, so that a gateway can be
// tried and loaded without any provider. It speaks like an OpenAI-compatible
// server and says something about the question: "Count to 20" counts, "Ping"
// gets a pong, anything else is echoed.
package demo

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

const (
	// pace is the pause between two streamed words, as of a small local model.
	pace = 20 * time.Millisecond
	// maxCount bounds how far the demo counts.
	maxCount = 5000
)

// Script is one answer in pieces, each with the pause before it.
type Script struct {
	words  []string
	finish string
	prompt int
	stream bool
	pause  time.Duration
	at     int
}

// New returns the answer to a chat completion request. The request may carry
// demo_delay_ms, the pause between streamed words in milliseconds.
func New(body []byte) *Script {
	var r chat.Request
	if err := r.Parse(body); err != nil {
		return &Script{words: []string{"?"}, finish: "stop"}
	}
	s := &Script{stream: r.Stream, finish: "stop", prompt: len(r.Messages)/4 + 1, pause: pace}
	for _, f := range r.Fields {
		if ms, ok := rawjson.Int(f.Value); ok && string(f.Key) == "demo_delay_ms" && ms >= 0 && ms <= 60_000 {
			s.pause = time.Duration(ms) * time.Millisecond
		}
	}
	s.words = strings.SplitAfter(reply(question(&r)), " ")
	if limit := r.MaxTokens; limit > 0 && limit < int64(len(s.words)) {
		s.words, s.finish = s.words[:limit], "length"
	}
	return s
}

// question returns the text of the last user message.
func question(r *chat.Request) string {
	for _, turn := range slices.Backward(r.Turns()) {
		if turn.Role != chat.RoleUser {
			continue
		}
		texts := []string{rawjson.Text(turn.Text)}
		for i := range turn.Parts {
			texts = append(texts, rawjson.Text(turn.Parts[i].Text))
		}
		return strings.TrimSpace(strings.Join(texts, ""))
	}
	return ""
}

func reply(q string) string {
	lower := strings.ToLower(q)
	if _, after, ok := strings.Cut(lower, "count to "); ok {
		number, _, _ := strings.Cut(after, " ")
		if n, err := strconv.Atoi(strings.Trim(number, ".,!?")); err == nil && n > 0 {
			return count(min(n, maxCount))
		}
	}
	if strings.HasPrefix(lower, "ping") {
		return "Pong. The gateway works: this answer came from its demo model."
	}
	return "This is the demo model of the gateway. It has no opinion on what you said: " + q
}

func count(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		if i > 1 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(i))
	}
	return b.String()
}

// Status is the HTTP status of the answer.
func (s *Script) Status() int { return 200 }

// Next returns the next piece of the body and the pause before it; false at the end.
func (s *Script) Next() (piece []byte, pause time.Duration, ok bool) {
	defer func() { s.at++ }()
	if !s.stream {
		return s.unary(), 0, s.at == 0
	}
	switch n := len(s.words); {
	case s.at < n:
		return s.chunk(s.words[s.at]), s.pause, true
	case s.at == n:
		return s.tail(), 0, true
	}
	return nil, 0, false
}

const head = `{"id":"demo","object":"chat.completion`

func (s *Script) chunk(word string) []byte {
	b := append([]byte("data: "+head), `.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":`...)
	b = rawjson.AppendString(b, word)
	return append(b, `},"finish_reason":null}]}`+"\n\n"...)
}

func (s *Script) tail() []byte {
	b := append([]byte("data: "+head), `.chunk","choices":[{"index":0,"delta":{},"finish_reason":"`+s.finish+`"}],`...)
	return append(s.usage(b), "}\n\ndata: [DONE]\n\n"...)
}

func (s *Script) unary() []byte {
	b := append([]byte(head), `","choices":[{"index":0,"message":{"role":"assistant","content":`...)
	b = rawjson.AppendString(b, strings.Join(s.words, ""))
	b = append(b, `},"finish_reason":"`+s.finish+`"}],`...)
	return append(s.usage(b), '}')
}

func (s *Script) usage(b []byte) []byte {
	b = append(b, `"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(s.prompt), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(len(s.words)), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(s.prompt+len(s.words)), 10)
	return append(b, '}')
}
