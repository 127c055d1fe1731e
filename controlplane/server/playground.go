package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

const (
	playgroundPath = "/console/playground"
	// playgroundKey is the header with the API key for the node; Authorization is
	// the caller's own.
	playgroundKey = "X-API-Key"
	// playgroundTime bounds an answer.
	playgroundTime = 15 * time.Minute
)

// wantsPlayground reports whether a request is a prompt of the console's playground.
func wantsPlayground(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == playgroundPath
}

// play sends a chat completion to a node, with the API key that the caller has
// given for it, and copies the answer as it comes. What was not sent yet when it
// fails is an error.
func (s *Server) play(w http.ResponseWriter, r *http.Request) error {
	if err := requireRole(identity(r.Context()), adminapi.RoleViewer, "the playground"); err != nil {
		return err
	}
	base := ""
	if s.o.Console.API != nil {
		base = s.o.Console.API()
	}
	if base == "" {
		return problemf(http.StatusNotFound, "the playground is off: CONSOLE_API_URL, the URL of a node, is not set")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, adminapi.MaxBody))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problemf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return badRequest("truncated body: %s", err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), playgroundTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		return problemf(http.StatusInternalServerError, "CONSOLE_API_URL: %s", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "gateway-console")
	req.Header.Set("X-Title", "Console playground")
	if key := r.Header.Get(playgroundKey); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := s.nodeClient.Do(req)
	if err != nil {
		return problemf(http.StatusBadGateway, "the node at CONSOLE_API_URL does not answer: %s", err)
	}
	defer resp.Body.Close() //nolint:errcheck // its end has been read, or no one wants it
	copyAnswer(w, resp)
	return nil
}

// copyAnswer sends a node's answer on, each part at once.
func copyAnswer(w http.ResponseWriter, resp *http.Response) {
	h := w.Header()
	for _, name := range []string{"Content-Type", "X-Generation-Id", "X-Request-Id", "Retry-After"} {
		if value := resp.Header.Get(name); value != "" {
			h.Set(name, value)
		}
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Gateway-Answered-By", "node") // and not the daemon, whose errors look alike
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // the server's bound for requests would end the answer
	w.WriteHeader(resp.StatusCode)
	part := make([]byte, 32<<10)
	for {
		n, err := resp.Body.Read(part)
		if n > 0 {
			_ = out.SetWriteDeadline(time.Now().Add(liveStall))
			if _, failed := w.Write(part[:n]); failed != nil || out.Flush() != nil {
				return // the caller left, or is too slow
			}
		}
		if err != nil {
			return // the end, or a cut that the stream's missing [DONE] shows
		}
	}
}

// newNodeClient calls nodes for the playground. Redirects are not followed: a
// node sends none.
func newNodeClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:errcheck // its documented type
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
