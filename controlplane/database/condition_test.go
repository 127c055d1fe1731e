package database

import (
	"errors"
	"testing"
	"time"
)

// A database that was full for a large write still is when the small one of the
// probe fits; one that was full for the probe is not any more.
func TestCondition(t *testing.T) {
	var c condition
	start := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	f := func(seconds int, want error) {
		t.Helper()
		if got := c.now(at(seconds)); !errors.Is(got, want) {
			t.Errorf("after %d s: %v, want %v", seconds, got, want)
		}
	}
	if !c.due(at(0)) || c.due(at(29)) || !c.due(at(30)) {
		t.Error("a probe is not due every 30 seconds")
	}
	c.tried(ErrFull, at(0))
	f(1, ErrFull)
	c.tried(nil, at(30))
	f(31, nil)
	c.wrote(ErrFull, at(40))
	c.tried(nil, at(60))
	f(339, ErrFull)
	c.wrote(errors.New("the data is at fault"), at(339))
	f(340, ErrFull)
	f(341, nil)
	c.wrote(ErrReadOnly, at(350))
	f(10_000, ErrReadOnly)
	c.tried(nil, at(10_001))
	f(10_001, nil)
	c.wrote(ErrFull, at(10_002))
	c.wrote(nil, at(10_003))
	f(10_003, nil)
}
