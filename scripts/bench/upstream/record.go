package upstream

import (
	"net/http"
)

// Request is what a client sent.
type Request struct {
	Method string      `json:"method"`
	Path   string      `json:"path"` // with its query
	Model  string      `json:"model"`
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

// record is a Request in buffers that are used again: recording must not cost
// a load test its memory.
type record struct {
	method, path, model string
	head, body          []byte
}

// take copies a request; its bytes belong to the connection.
func (r *record) take(req *request) {
	r.method, r.model = req.method, req.model
	r.path = keep(r.path, req.http.Header.RequestURI())
	r.head = append(r.head[:0], req.http.Header.RawHeaders()...)
	r.body = append(r.body[:0], req.http.Body()...)
}

func (l *ledger) lastOf(model string) (Request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.last[model]
	if r == nil {
		return Request{}, false
	}
	return Request{Method: r.method, Path: r.path, Model: r.model, Header: parseHeader(r.head), Body: string(r.body)}, true
}
