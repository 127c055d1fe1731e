package anthropic

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// cites turns citations of web pages into url_citation annotations, which say
// the characters of the answer between which the cited text is.
// Citations of the client's own documents have no such form and are left out.
type cites struct {
	// chars counts the answer so far, start the answer before the open block.
	chars, start int
	// found are the open block's citations, each followed by a comma.
	found []byte
}

// begin opens a text block.
func (c *cites) begin() { c.start, c.found = c.chars, c.found[:0] }

// pass takes note of text that goes to the client.
func (c *cites) pass(literal []byte) {
	in := rawjson.Inner(literal)
	for i := 0; i < len(in); c.chars++ {
		switch {
		case in[i] == '\\' && in[i+1] == 'u' && surrogates(in[i:]):
			i += 12
		case in[i] == '\\' && in[i+1] == 'u':
			i += 6
		case in[i] == '\\':
			i += 2
		case in[i] >= utf8.RuneSelf:
			_, size := utf8.DecodeRune(in[i:])
			i += size
		default:
			i++
		}
	}
}

// surrogates reports whether two escapes follow that make one character.
func surrogates(in []byte) bool {
	return len(in) >= 12 && in[2]|0x20 == 'd' && strings.IndexByte("89abAB", in[3]) >= 0 && in[6] == '\\' && in[7] == 'u'
}

// add takes in a citation of the open block.
func (c *cites) add(citation []byte) {
	if len(str(chat.Member(citation, "url"))) > 2 {
		c.found = append(append(c.found, citation...), ',')
	}
}

// addAll adds the citations of a block that came in one piece.
func (c *cites) addAll(list []byte) {
	for citation := range rawjson.Elements(list) {
		c.add(citation)
	}
}

// end closes the block and returns its annotations, which it appends to buf;
// nil if there are none.
func (c *cites) end(buf []byte) (grown, list []byte) {
	if len(c.found) == 0 {
		return buf, nil
	}
	start := len(buf)
	c.found[len(c.found)-1] = ']'
	buf = append(buf, '[')
	for citation := range rawjson.Elements(append([]byte("["), c.found...)) {
		if len(buf) > start+1 {
			buf = append(buf, ',')
		}
		buf = c.annotation(buf, citation)
	}
	c.found = c.found[:0]
	buf = append(buf, ']')
	return buf, buf[start:]
}

func (c *cites) annotation(dst, citation []byte) []byte {
	dst = append(append(dst, `{"type":"url_citation","url_citation":{"url":`...), chat.Member(citation, "url")...)
	if title := str(chat.Member(citation, "title")); title != nil {
		dst = append(append(dst, `,"title":`...), title...)
	}
	if text := str(chat.Member(citation, "cited_text")); text != nil {
		dst = append(append(dst, `,"content":`...), text...)
	}
	dst = strconv.AppendInt(append(dst, `,"start_index":`...), int64(c.start), 10)
	dst = strconv.AppendInt(append(dst, `,"end_index":`...), int64(c.chars), 10)
	return append(dst, '}', '}')
}
