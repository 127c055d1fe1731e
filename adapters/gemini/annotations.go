package gemini

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// annotations turns the web pages that an answer is grounded on into
// citations. Chunks repeat the pages of earlier ones, which are left out. The
// places in the text are Google's bytes, not characters, and are not passed on.
func (s *scope) annotations(grounding []byte) []byte {
	var c rawjson.Cursor
	c.Reset(chat.Member(grounding, "groundingChunks"))
	if !c.Array() {
		return nil
	}
	start := len(s.buf)
	for n := 0; c.Elem(); n++ {
		web := chat.Member(c.Raw(), "web")
		if n < s.candidate.citations {
			continue
		}
		s.candidate.citations++
		if uri := literal(web, "uri"); uri != nil {
			s.buf = append(append(s.buf, `,{"type":"url_citation","url_citation":{"url":`...), uri...)
			title := literal(web, "title")
			if title == nil {
				title = uri
			}
			s.buf = append(appendMember(s.buf, "title", title), `,"start_index":0,"end_index":0}}`...)
		}
	}
	if len(s.buf) == start {
		return nil
	}
	s.buf[start] = '['
	s.buf = append(s.buf, ']')
	return s.written(start)
}
