package provider

import (
	"fmt"
	"io"
	"net/http"
)

// studio answers what a server of chats may have beside them: images, rerank and
// transcriptions, whose body is a form.
func (s *Server) studio(w http.ResponseWriter, r *http.Request, name string) bool {
	c := &complaints{}
	switch r.URL.Path {
	case "/v1/images/generations":
		_, _ = io.WriteString(w, `{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":5,"output_tokens":30,"total_tokens":35}}`)
	case "/v1/rerank":
		_, _ = io.WriteString(w, `{"id":"r","results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}],"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}`)
	case "/v1/audio/transcriptions":
		transcribe(w, r, c, name)
	default:
		return false
	}
	c.want("authorization", r.Header.Get("Authorization"), "Bearer "+Key(name))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range c.list {
		s.said = append(s.said, fmt.Sprintf("%s %s: %s", name, r.URL.Path, text))
	}
	return true
}

func transcribe(w http.ResponseWriter, r *http.Request, c *complaints, name string) {
	file, head, err := r.FormFile("file")
	if err != nil {
		c.sayf("file: %v", err)
		return
	}
	sound, err := io.ReadAll(file)
	if err != nil || string(sound) != "RIFF\r\n--sound" || head.Filename != "a.wav" {
		c.sayf("the file is %q %q, %v", head.Filename, sound, err)
	}
	c.want("model", r.FormValue("model"), Model(name))
	if r.FormValue("stream") != "true" {
		_, _ = io.WriteString(w, `{"text":"Hello","words":[{"word":"Hello","start":0,"end":1}],"usage":{"type":"duration","seconds":3}}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, event := range []string{
		`{"type":"transcript.text.delta","delta":"Hel"}`, `{"type":"transcript.text.delta","delta":"lo"}`,
		`{"type":"transcript.text.done","text":"Hello","usage":{"type":"tokens","input_tokens":9,"output_tokens":2,"total_tokens":11}}`,
	} {
		_, _ = io.WriteString(w, "data: "+event+"\n\n")
	}
}
