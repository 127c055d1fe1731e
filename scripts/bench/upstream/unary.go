package upstream

import (
	"fmt"
	"strconv"
	"strings"
)

// unary sends an answer that is not streamed.
func (x *exchange) unary() error {
	body := x.body()
	at, strikes := x.script.Fault.within(len(body))
	if at == BeforeHead { // it has happened
		at, strikes = len(body), false
	}
	if x.script.Fault.Kind == Half {
		body = body[:at]
	}
	x.begin("application/json", len(body))
	x.piece(body[:at])
	if strikes && x.script.Fault.Kind != Half {
		if err := x.strike(); err != nil {
			return err
		}
	}
	x.piece(body[at:])
	return x.end()
}

func (x *exchange) body() string {
	s := x.script
	switch {
	case s.NoBody || s.Status == 204 || s.Status == 304:
		return ""
	case s.Body != "":
		return s.Body
	case s.Status >= 300:
		return fmt.Sprintf(`{"error":{"message":"scripted status %d","type":"scripted","code":%d}}`, s.Status, s.Status)
	case strings.HasSuffix(x.req.path, "/models"):
		return `{"object":"list","data":[{"id":"scripted","object":"model","owned_by":"scripted"}]}`
	case strings.HasSuffix(x.req.path, "/embeddings"):
		return x.embedding()
	case x.req.method != "POST":
		return `{"status":"ok"}`
	default:
		return x.completion()
	}
}

func (x *exchange) embedding() string {
	return `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.25,-0.5,0.125]}],"model":"` + x.req.model +
		`","usage":{"prompt_tokens":4,"total_tokens":4}}`
}

func (x *exchange) completion() string {
	size := x.script.Size
	if size == 0 {
		size = 64
	}
	text := x.req.marker
	if n := size - len(text); n > 0 {
		text += strings.Repeat(" lorem", n/len(" lorem")+1)[:n]
	}
	out := `{"id":"` + x.answerID() + `","object":"chat.completion","created":1700000000,"model":"` + x.req.model +
		`","choices":[{"index":0,"message":{"role":"assistant","content":"` + text + `"},"finish_reason":"` + x.finish() + `"}]`
	if !x.script.NoUsage {
		out += `,"usage":` + x.usage(size/4+1)
	}
	return out + "}"
}

// answerID names the echoed word and the number of the request.
func (x *exchange) answerID() string {
	return "chatcmpl-" + x.req.marker + "-" + strconv.FormatUint(x.id, 10)
}

func (x *exchange) finish() string {
	if x.script.Finish != "" {
		return x.script.Finish
	}
	return "stop"
}

// usage counts a token for four bytes of the request; out is that of the answer.
func (x *exchange) usage(out int) string {
	if x.script.Usage != "" {
		return x.script.Usage
	}
	in := len(x.req.http.Body())/4 + 1
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, in, out, in+out)
}
