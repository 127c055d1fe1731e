package upstream

import (
	"io"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/demo"
	"github.com/hybridinference/gateway/shared/fault"
)

// Demo is the upstream of kind demo: it answers in process, in the form of an
// OpenAI-compatible server, so that the rest of the path is the real one.
type Demo struct{}

// Send implements Sender.
func (*Demo) Send(call *codec.Call, _ codec.Header, cancel *Cancel) (Answer, error) {
	a := &demoAnswer{script: demo.New(call.Body), cancel: cancel, stopped: make(chan struct{})}
	if !cancel.arm(a) {
		return nil, fault.New(fault.Canceled, "The client disconnected")
	}
	return a, nil
}

type demoAnswer struct {
	script  *demo.Script
	cancel  *Cancel
	stopped chan struct{}
	once    bool
	rest    []byte
	// piece comes after pause.
	piece []byte
	pause time.Duration
}

// abort implements aborter; Cancel calls it under its lock.
func (a *demoAnswer) abort() {
	if !a.once {
		a.once = true
		close(a.stopped)
	}
}

// Head implements Answer.
func (a *demoAnswer) Head(time.Duration) (int, error) { return a.script.Status(), nil }

// Header implements Answer.
func (a *demoAnswer) Header(string) string { return "" }

// Read implements Answer.
func (a *demoAnswer) Read(p []byte, wait time.Duration) (int, error) {
	if len(a.rest) == 0 {
		if len(a.piece) == 0 {
			piece, pause, ok := a.script.Next()
			if !ok {
				return 0, io.EOF
			}
			a.piece, a.pause = piece, pause
		}
		if err := a.sleep(wait); err != nil {
			return 0, err
		}
		a.rest, a.piece = a.piece, nil
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// sleep waits for the next piece, ErrSilent if it takes longer than wait.
func (a *demoAnswer) sleep(wait time.Duration) error {
	if a.pause <= 0 {
		return nil
	}
	now := min(a.pause, wait)
	a.pause -= now
	timer := time.NewTimer(now)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.stopped:
		return fault.New(fault.Canceled, "The client disconnected")
	}
	if a.pause > 0 {
		return ErrSilent
	}
	return nil
}

// Close implements Answer.
func (a *demoAnswer) Close() { a.cancel.disarm() }
