package upstream

import (
	"bufio"
	"bytes"
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// request is what the server needs of a request. It lives as long as its
// connection; every read fills it anew.
type request struct {
	http   fasthttp.Request
	method string
	path   string
	model  string
	marker string // the word after "echo:"
	stream bool
	usage  bool // stream_options.include_usage
}

// maxBody bounds what a client can make the server hold.
const maxBody = 64 << 20

// echo precedes the word of a request that its answer repeats.
const echo = "echo:"

// read reads the next request of a connection.
func (r *request) read(br *bufio.Reader) error {
	if err := r.http.ReadLimitBody(br, maxBody); err != nil {
		return fmt.Errorf("read a request: %w", err)
	}
	r.method = keep(r.method, r.http.Header.Method())
	r.path = keep(r.path, r.http.URI().PathOriginal())
	r.parse(r.http.Body())
	return nil
}

// keep returns b as a string, old if it is the same: most requests of a
// connection are alike.
func keep(old string, b []byte) string {
	if old == string(b) {
		return old
	}
	return string(b)
}

// parse takes what it knows from a body; one that is no JSON object has nothing.
func (r *request) parse(body []byte) {
	r.stream, r.usage = false, false
	var model []byte
	var c rawjson.Cursor
	c.Reset(body)
	for more := c.Object(); more; {
		var key []byte
		if key, more = c.Key(); !more {
			break
		}
		switch string(key) {
		case "model":
			model = rawjson.Inner(c.Raw())
		case "stream":
			r.stream = string(c.Raw()) == "true"
		case "stream_options":
			r.usage = bytes.Contains(c.Raw(), []byte("true"))
		default:
			c.Skip()
		}
	}
	r.model = keep(r.model, model)
	r.marker = keep(r.marker, markerIn(body))
}

// markerIn returns the word behind the first "echo:".
func markerIn(body []byte) []byte {
	_, word, _ := bytes.Cut(body, []byte(echo))
	end := 0
	for end < len(word) && isWord(word[end]) {
		end++
	}
	return word[:end]
}

func isWord(ch byte) bool {
	return ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || ch == '-' || ch == '_' || ch == '.'
}
