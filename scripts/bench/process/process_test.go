package process_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/process"
)

func start(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(process.Options{Name: "child", Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"WORD=hello"}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(context.WithoutCancel(t.Context())) })
	return p
}

func TestCostOfABusyProcess(t *testing.T) {
	p := start(t, "while :; do :; done")
	var cpu time.Duration
	err := p.Await(t.Context(), func(context.Context) (err error) {
		if cpu, err = p.CPU(); err == nil && cpu < 50*time.Millisecond {
			err = errors.New("it did not work yet")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.CPU()
	if err != nil || again < cpu || again > cpu+10*time.Second {
		t.Errorf("%v after %v: %v", again, cpu, err)
	}
	if rss, err := p.RSS(); err != nil || rss < 100<<10 || rss > 100<<20 {
		t.Errorf("a shell takes %d bytes: %v", rss, err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := p.CPU(); err == nil {
		t.Error("a process that is gone has CPU time")
	}
}

func TestPause(t *testing.T) {
	p := start(t, "while :; do :; done")
	state := func() string {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(p.Pid()) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(text))[2]
	}
	await := func(want string) {
		t.Helper()
		if err := p.Await(t.Context(), func(context.Context) error {
			if got := state(); got != want {
				return errors.New(got)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	await("R")
	p.Pause()
	await("T")
	p.Resume()
	await("R")
	p.Pause()
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("stop of a paused process: %v", err)
	}
}

func TestEnvironmentAndDirectoryAreTheGivenOnes(t *testing.T) {
	p := start(t, `test "$WORD" = hello && test -z "$HOME" && test "$PWD" != "`+must(os.Getwd())+`"`)
	<-ended(t, p)
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLastWordsOfAProcessThatFails(t *testing.T) {
	p := start(t, "echo no such luck >&2; exit 3")
	err := p.Await(t.Context(), func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such luck") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	if err := p.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("stop: %v", err)
	}
}

// ended is closed when the process is gone.
func ended(t *testing.T, p *process.Process) <-chan struct{} {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.Await(t.Context(), func(context.Context) error { return errors.New("wait for its end") })
	}()
	return done
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}
