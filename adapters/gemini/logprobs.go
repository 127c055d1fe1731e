package gemini

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// logprobs turns logprobsResult into OpenAI's object: the chosen tokens, each
// with its alternatives, which Google lists apart.
func (s *scope) logprobs(raw []byte) []byte {
	var chosen, top rawjson.Cursor
	chosen.Reset(chat.Member(raw, "chosenCandidates"))
	top.Reset(chat.Member(raw, "topCandidates"))
	if !chosen.Array() {
		return nil
	}
	tops := top.Array()
	start := len(s.buf)
	s.buf = append(s.buf, `{"content":[`...)
	for n := 0; chosen.Elem(); n++ {
		if n > 0 {
			s.buf = append(s.buf, ',')
		}
		s.buf = appendToken(append(s.buf, '{'), chosen.Raw())
		s.buf = append(s.buf, `,"top_logprobs":[`...)
		if tops = tops && top.Elem(); tops {
			s.buf = appendTokens(s.buf, chat.Member(top.Raw(), "candidates"))
		}
		s.buf = append(s.buf, ']', '}')
	}
	s.buf = append(s.buf, `],"refusal":null}`...)
	return s.written(start)
}

func appendTokens(dst, list []byte) []byte {
	var c rawjson.Cursor
	c.Reset(list)
	if !c.Array() {
		return dst
	}
	for n := 0; c.Elem(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendToken(append(dst, '{'), c.Raw()), '}')
	}
	return dst
}

// appendToken appends the members of one token.
func appendToken(dst, raw []byte) []byte {
	text := chat.Member(raw, "token")
	if !isString(text) {
		text = []byte(`""`)
	}
	dst = append(append(dst, `"token":`...), text...)
	prob := chat.Member(raw, "logProbability")
	if _, ok := rawjson.Float(prob); !ok {
		prob = []byte{'0'} // left out where it is zero
	}
	dst = appendMember(dst, "logprob", prob)
	dst = append(dst, `,"bytes":[`...)
	for i, b := range rawjson.Unquote(nil, text) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(b), 10)
	}
	return append(dst, ']')
}
