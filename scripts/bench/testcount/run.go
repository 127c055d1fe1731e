// Package testcount runs `go test -json`, shows what a reader needs of it, and counts.
package testcount

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long interrupted tests may take to end before they are killed.
const grace = 10 * time.Second

// Options says what to run and how to judge it.
type Options struct {
	Command   []string      // prints the events of `go test -json` and whatever else
	Limit     time.Duration // for the whole command, builds included
	SkipFails bool          // a skipped test counts as a failed one
	Out       io.Writer
}

// Run runs the command and writes a line per package, the output of tests that failed or skipped, and at the very
// end one line "N passed, N failed". It reports whether all is well: something passed, nothing failed, and the command
// itself succeeded. Tests and subtests count alike; what fails outside of a test (a build, a TestMain) counts as one.
func Run(ctx context.Context, opts Options) bool {
	r := newReport(opts.Out, opts.SkipFails)
	return r.finish(feed(ctx, opts, r))
}

// feed passes each line that the command writes to the report; its error is the command's.
func feed(ctx context.Context, opts Options, r *report) error {
	lines, output := io.Pipe()
	go func() { output.CloseWithError(execute(ctx, opts, output)) }()
	in := bufio.NewReader(lines)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// execute runs the command in a process group of its own, so that the test binaries and whatever they started end with it.
func execute(ctx context.Context, opts Options, output io.Writer) error {
	tooLong := fmt.Errorf("stopped: it took more than %s", opts.Limit)
	ctx, cancel := context.WithTimeoutCause(ctx, opts.Limit, tooLong)
	defer cancel()

	cmd := exec.CommandContext(ctx, opts.Command[0], opts.Command[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = grace
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, ending(ctx)) }
	err := cmd.Run()
	if cmd.Process != nil {
		// Whoever is left outlived its test. No such group is the usual answer.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ending is the signal for a command whose ctx ended: at the limit the test binaries are to show where they hang.
func ending(ctx context.Context) syscall.Signal {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}
