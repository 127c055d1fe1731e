// Package process runs a child process and reads what it costs.
package process

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long a process may take to end before it is killed.
const grace = 10 * time.Second

// Options say what to run.
type Options struct {
	Name string // in errors
	Path string
	Args []string
	Env  []string // all of its environment
	Dir  string   // its working directory
}

// Process is a running child.
type Process struct {
	name  string
	cmd   *exec.Cmd
	log   tail
	ended chan struct{}
	err   error // why it ended; valid when ended is closed
}

// Start starts a child. It is killed when this process dies.
func Start(o Options) (*Process, error) {
	p := &Process{name: o.Name, cmd: exec.Command(o.Path, o.Args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = o.Env, o.Dir
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Stop asks the process to end, and kills it if it does not. Its error is that
// of a process that ended badly, with the end of its output.
func (p *Process) Stop(context.Context) error {
	select {
	case <-p.ended:
		return p.failed()
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
	p.Resume()
	select {
	case <-p.ended:
	case <-time.After(grace):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not end within %s and was killed; its last words:\n%s", p.name, grace, p.log.String())
	}
	return p.failed()
}

// Pause stops the process from running until Resume. A process that has ended
// needs neither.
func (p *Process) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process run again.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// failed is the error of a process that has ended, nil if all is well.
func (p *Process) failed() error {
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && exit.ExitCode() == -1 {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signal() == syscall.SIGTERM {
			return nil // as it was told to
		}
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w; its last words:\n%s", p.name, p.err, p.log.String())
	}
	return nil
}

// Await calls ready until it is satisfied. It fails when ctx ends or the
// process does.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended while it was waited for: %w; its last words:\n%s", p.name, errors.Join(p.err, err), p.log.String())
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w; its last words:\n%s", p.name, errors.Join(ctx.Err(), err), p.log.String())
		case <-tick.C:
		}
	}
}

// Pid is its process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }
