// Package load drives HTTP load at one address and checks what comes back: an
// answer that is not what was asked for ends the measurement, because a server
// that fails is cheap. It costs little itself, so that on a small machine the
// server under load is what is measured.
package load

import (
	"bytes"
	"fmt"
	"strconv"
)

// Request is what is sent, again and again.
type Request struct {
	Addr string // host:port
	Path string
	Key  string // bearer token, or none
	Body []byte
	// Marker has to be in every answer's body, or in every stream's first event.
	Marker string
	// Events is how many events a stream has at least, its [DONE] included; 0 is
	// an answer that is not streamed.
	Events int
}

// wire is the request as bytes.
func (r *Request) wire() []byte {
	var b bytes.Buffer
	b.WriteString("POST " + r.Path + " HTTP/1.1\r\nHost: " + r.Addr + "\r\nUser-Agent: bench\r\nContent-Type: application/json\r\n")
	if r.Key != "" {
		b.WriteString("Authorization: Bearer " + r.Key + "\r\n")
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(r.Body)) + "\r\n\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// check judges an answer that is not streamed.
func (r *Request) check(body []byte) error {
	if !bytes.Contains(body, []byte(r.Marker)) {
		return fmt.Errorf("the answer lacks %q: %.300q", r.Marker, body)
	}
	return nil
}

// checkStream judges a whole stream by its number of events and its last bytes.
func (r *Request) checkStream(events int, end []byte) error {
	if !bytes.HasSuffix(end, []byte("data: [DONE]\n\n")) {
		return fmt.Errorf("the stream ended with %q after %d events", end, events)
	}
	if events < r.Events {
		return fmt.Errorf("the stream had %d events, not %d", events, r.Events)
	}
	return nil
}
