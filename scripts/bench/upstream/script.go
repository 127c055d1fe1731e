package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Script says how a request is answered. The zero value is a healthy model: 64
// bytes of text, or eight chunks without a pause if a stream is asked for, and
// usage where include_usage wants it.
type Script struct {
	// Respond writes the answer, in place of all that follows but Delay,
	// trickling and a fault before the head.
	Respond http.HandlerFunc `json:"-"`

	// Status of the answer, 200 if 0. Any other answers with an error object
	// unless Body says something else.
	Status int `json:"status,omitempty"`
	// Headers are added to the answer; Content-Type replaces the usual one.
	Headers map[string]string `json:"headers,omitempty"`
	// Body is sent as it stands, and nothing is streamed. NoBody sends none.
	Body   string `json:"body,omitempty"`
	NoBody bool   `json:"no_body,omitempty"`

	// Size is the length of the text in an answer that is not streamed, 64 if 0.
	Size int `json:"size,omitempty"`
	// Chunks is how many chunks with text a stream has, 8 if 0. A chunk with the
	// role precedes them, one with finish_reason follows.
	Chunks int `json:"chunks,omitempty"`
	// ChunkSize is the least length of the text of one chunk.
	ChunkSize int `json:"chunk_size,omitempty"`
	// Events take the place of the generated stream: each is sent as it stands,
	// in a chunk of its own, whether or not a stream was asked for.
	Events []string `json:"events,omitempty"`
	// Finish is the finish_reason, "stop" if empty.
	Finish string `json:"finish,omitempty"`
	// Usage is the JSON object to send as usage in place of the generated one.
	Usage string `json:"usage,omitempty"`
	// NoUsage sends none, NoDone leaves out [DONE].
	NoUsage bool `json:"no_usage,omitempty"`
	NoDone  bool `json:"no_done,omitempty"`

	// Delay is the time before anything is sent, Pace that before each chunk
	// with text (or each of Events) after the first.
	Delay Duration `json:"delay,omitempty"`
	Pace  Duration `json:"pace,omitempty"`
	// TrickleBytes cuts everything that is sent, heads included, into pieces of
	// so many bytes, TrickleEvery apart.
	TrickleBytes int      `json:"trickle_bytes,omitempty"`
	TrickleEvery Duration `json:"trickle_every,omitempty"`
	// Unframed sends neither Content-Length nor chunks: the body ends with the
	// connection, which HTTP allows.
	Unframed bool `json:"unframed,omitempty"`

	Fault Fault `json:"fault,omitzero"`
}

// Fault is what goes wrong, and where.
type Fault struct {
	Kind FaultKind `json:"kind,omitempty"`
	// At is BeforeHead, AfterHead, or how much of the answer comes first: chunks
	// with text (or Events) of a stream, bytes of the body otherwise. Beyond the
	// answer's end it is at its end.
	At int `json:"at,omitempty"`
	// For is how long Stall lasts; 0 is until the client leaves.
	For Duration `json:"for,omitempty"`
	// Data is the event that ErrorEvent sends; empty is an error object in
	// "data: ...".
	Data string `json:"data,omitempty"`
}

// Where a fault strikes, besides after so many chunks or bytes.
const (
	BeforeHead = -1
	AfterHead  = 0
)

// FaultKind names what goes wrong.
type FaultKind string

// The faults. Refused connections are a Mode: they concern no single request.
const (
	NoFault    FaultKind = ""
	Reset      FaultKind = "reset"       // the connection is reset
	Hangup     FaultKind = "hangup"      // the connection is closed in an orderly way, whatever was announced
	Half       FaultKind = "half"        // the rest is missing, the framing is right and the connection stays
	Stall      FaultKind = "stall"       // nothing more is sent
	ErrorEvent FaultKind = "error_event" // an error event in a stream, then its proper end; no effect otherwise
	BadChunk   FaultKind = "bad_chunk"   // garbage where the size of a chunk belongs, then the end of the connection
	LongLength FaultKind = "long_length" // Content-Length announces more than is sent, then the end; At has no meaning
	CloseAfter FaultKind = "close_after" // a good answer that promises keep-alive, then the end; At has no meaning
)

// check tells everything that is wrong with a script.
func (s *Script) check() error {
	errs := []error{s.Fault.check()}
	bad := func(key string, value any, want string) {
		errs = append(errs, fmt.Errorf("%s %v: want %s", key, value, want))
	}
	if s.Status != 0 && (s.Status < 200 || s.Status > 999) {
		bad("status", s.Status, "200 to 999")
	}
	if s.Size < 0 || s.Chunks < 0 || s.ChunkSize < 0 || s.TrickleBytes < 0 {
		errs = append(errs, errors.New("size, chunks, chunk_size and trickle_bytes must not be negative"))
	}
	for name, value := range s.Headers {
		if name == "" || strings.ContainsAny(name, "\r\n: ") || strings.ContainsAny(value, "\r\n") {
			bad("headers", fmt.Sprintf("%q: %q", name, value), "a name and a value of one line")
		}
	}
	if s.NoBody && s.Body != "" {
		bad("no_body", true, "no body beside it")
	}
	return errors.Join(errs...)
}

func (f *Fault) check() error {
	switch f.Kind {
	case NoFault, Reset, Hangup, Half, Stall, ErrorEvent, BadChunk, LongLength, CloseAfter:
	default:
		return fmt.Errorf("fault kind %q: want reset, hangup, half, stall, error_event, bad_chunk, long_length or close_after", f.Kind)
	}
	if f.At < BeforeHead {
		return fmt.Errorf("fault at %d: want -1 (before the head), 0 (after it) or more", f.At)
	}
	if f.At == BeforeHead && (f.Kind == Half || f.Kind == ErrorEvent || f.Kind == BadChunk) {
		return fmt.Errorf("fault %s at -1: there is no body before the head", f.Kind)
	}
	return nil
}
