package upstream

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Listening is the body of POST /_mode.
type Listening struct {
	Mode Mode `json:"mode"`
	// Drop also resets the connections that are open.
	Drop bool `json:"drop,omitempty"`
}

// Handler is the control API:
//
//	POST   /_script         a Rule as JSON: Set
//	DELETE /_script         Reset
//	POST   /_mode           a Listening: SetMode, Drop
//	GET    /_counts         Counts
//	GET    /_last?model=ID  the last Request for a model
//
// What is wrong with a body is answered with 400 and a line of text.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_script", s.postScript)
	mux.HandleFunc("DELETE /_script", func(w http.ResponseWriter, _ *http.Request) { done(w, s.Reset()) })
	mux.HandleFunc("POST /_mode", s.postMode)
	mux.HandleFunc("GET /_counts", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Counts()) })
	mux.HandleFunc("GET /_last", s.getLast)
	return mux
}

func (s *Server) postScript(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	if decode(w, r, &rule) {
		done(w, s.Set(rule))
	}
}

func (s *Server) postMode(w http.ResponseWriter, r *http.Request) {
	var l Listening
	if !decode(w, r, &l) {
		return
	}
	err := s.SetMode(l.Mode)
	if err == nil && l.Drop {
		s.Drop()
	}
	done(w, err)
}

func (s *Server) getLast(w http.ResponseWriter, r *http.Request) {
	model := r.URL.Query().Get("model")
	last, ok := s.Last(model)
	if !ok {
		http.Error(w, fmt.Sprintf("no request for model %q", model), http.StatusNotFound)
		return
	}
	reply(w, last)
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func done(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that left needs no answer
}
