package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// Exit codes, for scripts to rely on.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitIncomplete  = 3
	ExitUnreachable = 4
	ExitProblems    = 5
	ExitGap         = 6
)

const exitHelp = `Exit codes:
  0  done
  1  failed; the reason is on stderr
  2  usage error: unknown command, flag or value
  3  --wait timed out before every live node had applied the change
  4  the control plane is unreachable
  5  gatewayctl status: the control plane reports problems
  6  gatewayctl reconcile: the gap is above --tolerance`

// usageError is a wrong command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// errShown ends a command whose output has already said what is wrong.
var errShown = errors.New("shown")

// incompleteError is a wait that ended before all nodes had the release.
type incompleteError struct{ message string }

func (e *incompleteError) Error() string { return e.message }

// errProblems ends status: the control plane has said what is wrong with it.
var errProblems = fmt.Errorf("the control plane reports problems: %w", errShown)

// errGap ends reconcile: its output has said how large the gap is.
var errGap = fmt.Errorf("the gap is above --tolerance: %w", errShown)

// deniedError is a token that the daemon rejects.
type deniedError struct {
	// from is the variable or flag that held the token, "" if none did.
	from string
	url  string
}

func (e *deniedError) Error() string {
	if e.from == "" {
		return fmt.Sprintf("%s requires a token: set %s", e.url, tokenVariable)
	}
	return fmt.Sprintf("%s rejected the token in %s", e.url, e.from)
}

// report prints an error and returns its exit code.
func report(opts *Options, err error) int {
	if err == nil {
		return ExitOK
	}
	if refused, ok := errors.AsType[*adminclient.Error](err); ok {
		for _, problem := range refused.Problems {
			_, _ = fmt.Fprintln(opts.Stderr, printable(problem))
		}
	}
	if !errors.Is(err, errShown) {
		_, _ = fmt.Fprintf(opts.Stderr, "gatewayctl: %s\n", oneLine(message(err)))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok {
		return ExitUsage
	}
	if _, ok := errors.AsType[urfave.ExitCoder](err); ok { // help for an unknown command
		return ExitUsage
	}
	if _, ok := errors.AsType[*incompleteError](err); ok {
		return ExitIncomplete
	}
	if errors.Is(err, errProblems) {
		return ExitProblems
	}
	if errors.Is(err, errGap) {
		return ExitGap
	}
	if _, ok := errors.AsType[*adminclient.Unreachable](err); ok {
		return ExitUnreachable
	}
	return ExitFailed
}

func message(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted; the change may have been applied"
	}
	if _, ok := errors.AsType[*adminclient.Unreachable](err); ok {
		return fmt.Sprintf("%s (set %s or --url)", err, urlVariable)
	}
	return err.Error()
}

// oneLine keeps an error from filling the screen or controlling the terminal.
func oneLine(text string) string {
	return printable(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}

// explain adds to a client's error what only the command line knows.
func (in *invocation) explain(err error) error {
	refused, ok := errors.AsType[*adminclient.Error](err)
	if ok && refused.Status == http.StatusUnauthorized {
		_, from := in.token()
		return &deniedError{from: from, url: refused.URL}
	}
	return err
}
