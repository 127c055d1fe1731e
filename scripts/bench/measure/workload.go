package measure

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/load"
	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

// The measurements, in the order in which they are made and shown.
const (
	small   = "small"
	large   = "large"
	fast    = "fast"
	paced   = "paced"
	latency = "latency"
	idle    = "idle"

	// with an https upstream
	secureSmall = "https-small"
	secureFast  = "https-fast"

	// made only when asked for by name
	ttft     = "ttft"
	frontier = "frontier"
	burst    = "burst"
)

// Names lists what Options.Only may hold.
func Names() []string {
	return []string{small, large, fast, paced, latency, idle, secureSmall, secureFast, ttft, frontier, burst}
}

// extra are those that are made only when Options.Only has them: they take minutes.
func extra() []string { return []string{ttft, frontier, burst} }

// rates are those of the frontier, in requests per second.
func rates() []float64 { return []float64{500, 1000, 1500, 2000, 3000, 4000, 6000} }

// Secure are the models of an https upstream.
func Secure() []string { return []string{secureSmall, secureFast} }

// The sizes of the load.
const (
	answerSize  = 300       // bytes of text in an answer that is not streamed
	largeSize   = 100 << 10 // bytes of a large request's body
	smallConns  = 64
	largeConns  = 16
	fastStreams = 8
	fastChunks  = 400
	pacedCount  = 50
	pace        = 20 * time.Millisecond
	idleStreams = 1000
	// silence outlasts the measurement. It has to end: the bare proxy notices
	// that a client has left only when there is something to pass on.
	silence = 6 * time.Second
	// burstSilence outlasts the opening of a burst's streams.
	burstSilence = 20 * time.Second
	marker       = "pong-42"
	// ttftRate is how many streams begin in a second.
	ttftRate   = 300
	ttftChunks = 8
)

// Models are the models that the measurements ask for: one for each, named alike.
func Models() []string { return Names() }

// scripts are what the upstream does for each model.
func scripts() []upstream.Rule {
	plain := upstream.Script{Size: answerSize}
	return []upstream.Rule{
		{Model: small, Script: plain},
		{Model: large, Script: plain},
		{Model: latency, Script: plain},
		{Model: fast, Script: upstream.Script{Chunks: fastChunks}},
		{Model: frontier, Script: plain},
		{Model: ttft, Script: upstream.Script{Chunks: ttftChunks}},
		{Model: burst, Script: upstream.Script{Fault: upstream.Fault{Kind: upstream.Stall, At: 1, For: upstream.Duration(burstSilence)}}},
		{Model: secureSmall, Script: plain},
		{Model: secureFast, Script: upstream.Script{Chunks: fastChunks}},
		{Model: paced, Script: upstream.Script{Chunks: 1 << 20, Pace: upstream.Duration(pace)}},
		{Model: idle, Script: upstream.Script{Fault: upstream.Fault{Kind: upstream.Stall, At: 1, For: upstream.Duration(silence)}}},
	}
}

// request is what a measurement sends to a target.
func request(name string, t *fleet.Target) load.Request {
	r := load.Request{Addr: t.Addr, Path: fleet.Path, Key: t.Key, Marker: marker}
	options := ""
	if slices.Contains([]string{fast, paced, idle, secureFast, burst, ttft}, name) {
		options = `,"stream":true,"stream_options":{"include_usage":true}`
		r.Events = 1 + fastChunks // the others never end
		if name == ttft {
			r.Events = 1 + ttftChunks
		}
	}
	body := fmt.Sprintf(`{"model":%q%s,"max_tokens":1000,"messages":[{"role":"system","content":"You are helpful."},{"role":"user","content":"Say echo:%s"}]}`, name, options, marker)
	if name == large {
		const word = "lorem ipsum "
		body = strings.Replace(body, "Say", strings.Repeat(word, (largeSize-len(body))/len(word))+"Say", 1)
	}
	r.Body = []byte(body)
	return r
}
