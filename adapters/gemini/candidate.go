package gemini

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func (d *decoder) readCandidates(c *rawjson.Cursor, data []byte, out []chat.Event) []chat.Event {
	if !c.Array() {
		c.Skip()
		return out
	}
	for c.Elem() {
		out = d.readCandidate(c, data, out)
	}
	return out
}

// readCandidate decodes one candidate. Its index may come last, so that its
// members are found first and read then.
func (d *decoder) readCandidate(c *rawjson.Cursor, data []byte, out []chat.Event) []chat.Event {
	if !c.Object() {
		c.Skip()
		return out
	}
	var content, reason, logprobs, grounding []byte
	index := int64(0)
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "content":
			content = c.Raw()
		case "finishReason":
			reason = c.Str()
		case "index":
			if n, ok := c.Int(); ok && n >= 0 && n < maxCandidates {
				index = n
			}
		case "logprobsResult":
			logprobs = c.Raw()
		case "groundingMetadata":
			grounding = c.Raw()
			d.searches = max(d.searches, searches(grounding))
		default:
			c.Skip()
		}
	}
	if c.Err() != nil {
		return out
	}
	for len(d.candidates) <= int(index) {
		d.candidates = append(d.candidates, candidate{})
	}
	base := len(out)
	s := scope{decoder: d, candidate: &d.candidates[index], choice: int(index), data: data, out: out}
	s.candidate.seen = true
	s.parts(content)
	if len(s.out) == base {
		s.out = append(s.out, chat.Event{Choice: s.choice})
	}
	last := &s.out[len(s.out)-1]
	last.Logprobs = s.logprobs(logprobs)
	last.Annotations = s.annotations(grounding)
	s.finish(last, reason)
	return s.out
}
