package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

// endpoint is an operation with its handler.
type endpoint struct {
	adminapi.Typed
	// handle answers; it may add headers to the response.
	handle func(header http.Header, r *http.Request) (any, error)
}

// on binds an operation to a function from its input to its output. Decoding
// and checking the input and completing the output happen here, everything
// else in ServeHTTP.
func on[In, Out any](o adminapi.Operation[In, Out], handle func(context.Context, In) (Out, error)) endpoint {
	return endpoint{o.Typed(), func(_ http.Header, r *http.Request) (any, error) {
		var in In
		if err := adminapi.Decode(r, o.Description, &in); err != nil {
			return nil, err
		}
		out, err := handle(r.Context(), in)
		if err != nil {
			return nil, err
		}
		adminapi.FillLists(&out)
		return out, nil
	}}
}

func describe(endpoints []endpoint) (json.RawMessage, error) {
	list := make([]adminapi.Typed, len(endpoints))
	for i, e := range endpoints {
		list[i] = e.Typed
	}
	return adminapi.Document(list)
}

// methods are the operations of one path.
type methods map[string]endpoint

func byPath(endpoints []endpoint) map[string]methods {
	out := map[string]methods{}
	for _, e := range endpoints {
		if out[e.Path] == nil {
			out[e.Path] = methods{}
		}
		out[e.Path][e.Method] = e
	}
	return out
}

func (m methods) allowed() []string { return slices.Sorted(maps.Keys(m)) }

// ServeHTTP is what the mux calls. The writer is the Server's *exchange, in
// which the answer is left for it.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchangeOf(w)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	e, known := m[method]
	if !known {
		allowed := strings.Join(m.allowed(), ", ")
		w.Header().Set("Allow", allowed)
		x.err = problemf(http.StatusMethodNotAllowed, "%s takes %s, not %s", r.URL.Path, allowed, r.Method)
		return
	}
	x.status = e.Status
	if x.err = allow(r.Context(), &e.Description); x.err == nil {
		x.body, x.err = e.handle(x.Header(), r)
	}
}

// notFound answers for all other paths.
type notFound struct{}

func (notFound) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	exchangeOf(w).err = problemf(http.StatusNotFound, "path %s not found; GET / lists all paths", r.URL.Path)
}

func exchangeOf(w http.ResponseWriter) *exchange {
	x, ok := w.(*exchange)
	if !ok {
		panic("BUG: the admin API was not called through its Server")
	}
	return x
}

// exchange carries a handler's answer out of the mux.
type exchange struct {
	http.ResponseWriter
	status int
	body   any
	err    error
	// streamed: the answer has been sent.
	streamed bool
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	if s.console.Serves(r) {
		s.console.ServeHTTP(w, r)
		return
	}
	// an extra slash is not worth an error, and must not lead past the guard
	r.URL.Path, r.URL.RawPath = path.Clean("/"+r.URL.Path), ""
	if strings.HasPrefix(r.URL.Path, "/v1/") { // as on nodes, /api may be left out
		r.URL.Path = "/api" + r.URL.Path
	}
	if s.serveOIDC(w, r) {
		return
	}
	x := &exchange{ResponseWriter: w}
	s.answer(x, r)
	status := http.StatusOK
	if !x.streamed {
		status = write(w, r, x.status, x.body, x.err)
	}
	s.log(r, status, x.err, time.Since(start))
}

func (s *Server) answer(x *exchange, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			s.o.Log.ErrorContext(r.Context(), "BUG: admin API panicked", slog.Any("cause", cause), slog.String("path", r.URL.Path))
			x.err = problemf(http.StatusInternalServerError, "internal error")
		}
	}()
	if r, x.err = s.admit(x.Header(), r); x.err != nil {
		return
	}
	if wantsStream(r) {
		x.err = s.stream(x.ResponseWriter, r)
		x.streamed = x.err == nil
		return
	}
	if wantsPlayground(r) {
		x.err = s.play(x.ResponseWriter, r)
		x.streamed = x.err == nil
		return
	}
	s.mux.ServeHTTP(x, r)
}

// zipFrom is the size in bytes from which answers are compressed.
const zipFrom = 4 << 10

// zip compresses a long answer to a GET for those who take it. Answers to other
// methods may have secrets in them, and stay as they are.
func zip(h http.Header, r *http.Request, text []byte) []byte {
	h.Set("Vary", "Accept-Encoding")
	if r.Method != http.MethodGet || len(text) < zipFrom || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		return text
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Close()
	h.Set("Content-Encoding", "gzip")
	return out.Bytes()
}

// write sends the answer and returns its status.
func write(w http.ResponseWriter, r *http.Request, status int, body any, err error) int {
	if err != nil {
		p := toProblem(err)
		status, body = p.status, p.envelope()
		if p.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
		}
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
	sent := zip(h, r, text.Bytes())
	w.WriteHeader(status)
	_, _ = w.Write(sent) // a caller that left needs no answer
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
