package server

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// handler answers a request with a value that becomes JSON, or with an error.
type handler func(*http.Request) (any, error)

// methods are the handlers of one path.
type methods map[string]handler

// created is an answer with status 201.
type created struct{ body any }

func (m methods) allowed() []string { return slices.Sorted(maps.Keys(m)) }

// ServeHTTP is what the mux calls. The writer is the Server's *exchange, in
// which the answer is left for it.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, ok := w.(*exchange)
	if !ok {
		panic("BUG: the admin API is reached past its Server")
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h, known := m[method]
	if !known {
		allowed := strings.Join(m.allowed(), ", ")
		w.Header().Set("Allow", allowed)
		x.err = problemf(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, allowed, r.Method)
		return
	}
	x.body, x.err = h(r)
}

// exchange carries a handler's answer out of the mux.
type exchange struct {
	http.ResponseWriter
	body any
	err  error
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	// a slash too many is not worth an error, and must not lead past the guard
	r.URL.Path, r.URL.RawPath = path.Clean("/"+r.URL.Path), ""
	x := &exchange{ResponseWriter: w}
	s.answer(x, r)
	status := write(w, x.body, x.err)
	s.log(r, status, x.err, time.Since(start))
}

func (s *Server) answer(x *exchange, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			s.o.Log.ErrorContext(r.Context(), "BUG: admin API panicked", slog.Any("cause", cause), slog.String("path", r.URL.Path))
			x.err = problemf(http.StatusInternalServerError, "internal error")
		}
	}()
	if x.err = s.admit(x.Header(), r); x.err != nil {
		return
	}
	s.mux.ServeHTTP(x, r)
}

// write sends the answer and returns its status.
func write(w http.ResponseWriter, body any, err error) int {
	status := http.StatusOK
	if err != nil {
		p := toProblem(err)
		status, body = p.status, p.envelope()
	} else if c, ok := body.(created); ok {
		status, body = http.StatusCreated, c.body
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		status = http.StatusInternalServerError
		text.Reset()
		text.WriteString(`{"error":{"code":500,"message":"internal error"}}` + "\n")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a caller that left needs no answer
	return status
}

func (s *Server) log(r *http.Request, status int, err error, took time.Duration) {
	level := slog.LevelDebug
	switch {
	case status >= http.StatusInternalServerError || status == http.StatusUnauthorized:
		level = slog.LevelWarn
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status), slog.String("remote", r.RemoteAddr),
		slog.Int64("ms", took.Milliseconds()),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.o.Log.LogAttrs(r.Context(), level, "admin request", attrs...)
}
