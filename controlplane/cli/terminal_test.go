package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/hybridinference/gateway/controlplane/cli"
)

// onTerminal runs a command as a person would.
func onTerminal(t *testing.T, vars map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), cli.Options{
		Args: args, Stdout: &stdout, Stderr: &stderr, StdoutTerminal: true, StderrTerminal: true, Env: lookup(vars),
	})
	return result{stdout.String(), stderr.String(), code}
}

func TestColourIsForTerminals(t *testing.T) {
	a := newAdmin(t)
	const red, green = "\x1b[31m", "\x1b[32m"
	shown := onTerminal(t, a.vars(), "nodes").stdout
	if !strings.Contains(shown, green+"live") || !strings.Contains(shown, red+"stale") {
		t.Errorf("no colour on a terminal: %q", shown)
	}
	plain := runWith(t, a.vars(), "nodes").stdout
	if bare := strip(shown); bare != plain {
		t.Errorf("colour moves columns:\n%s\n%s", bare, plain)
	}
	for _, off := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if got := onTerminal(t, a.vars(off), "nodes").stdout; got != plain {
			t.Errorf("%s: %q", off, got)
		}
	}
	if got := onTerminal(t, a.vars(), "nodes", "-o", "json").stdout; strings.Contains(got, "\x1b") {
		t.Errorf("colour in JSON: %q", got)
	}
}

// strip removes colours.
func strip(text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(text, "\x1b[") {
		_, rest, found := strings.Cut(part, "m")
		if b.Len() == 0 || !found {
			rest = part
		}
		b.WriteString(rest)
	}
	return strings.TrimPrefix(b.String(), "1m") // the text begins with a colour
}

// Tables fit into the terminal: what is spare is left out, then texts are cut.
// -o wide shows all of it, as a pipe does.
func TestTablesFitTheTerminal(t *testing.T) {
	a := newAdmin(t)
	for _, command := range []string{
		"nodes", "keys list", "teams list", "models", "routing", "endpoints list", "weights show", "releases list", "audit", "logs search", "stats", "usage", "shadow report demo", "prices show", "operators list", "ledger", "deadletters list", "limits show",
	} {
		args := strings.Fields(command)
		all := runWith(t, a.vars(), args...)
		if all.code != 0 {
			t.Errorf("%s: %s", command, all.stderr)
		}
		shown := func(width int, more ...string) string {
			var stdout, stderr bytes.Buffer
			cli.Run(t.Context(), cli.Options{Args: append(args, more...), Stdout: &stdout, Stderr: &stderr, StdoutTerminal: true, Width: width, Env: lookup(a.vars("NO_COLOR=1"))})
			return stdout.String()
		}
		for _, width := range []int{80, 120} {
			for line := range strings.Lines(shown(width)) {
				if runewidth.StringWidth(strings.TrimRight(line, "\n")) > width {
					t.Errorf("%s at %d: %s", command, width, line)
				}
			}
		}
		if got := shown(80, "-o", "wide"); got != all.stdout {
			t.Errorf("%s -o wide:\n%s\nwant\n%s", command, got, all.stdout)
		}
	}
}

func TestWaitShowsProgress(t *testing.T) {
	a := newAdmin(t)
	looked := make(chan struct{}, 100)
	a.on("GET nodes", func() { looked <- struct{}{} })
	a.on("PUT weights", func() {
		a.say("GET status", answer{200, `{"release":13}`})
		// the second look at the nodes comes after the first was shown
		<-looked
		<-looked
	})
	r := onTerminal(t, a.vars(), "weights", "set", "demo", "demo-api=1", "--wait", "7s")
	if want := "release 13: on 0 of 2 nodes, rejected by node-2, "; !strings.Contains(r.stderr, want) {
		t.Errorf("%q does not tell %q", r.stderr, want)
	}
	if !strings.HasSuffix(r.stderr, " of 7s\r\x1b[K") || r.code != 0 {
		t.Errorf("the line does not go away: %q, exit %d", r.stderr, r.code)
	}
	a.on("PUT weights", nil)
	if r := runWith(t, a.vars(), "weights", "set", "demo", "demo-api=1", "--wait"); r.stderr != "" {
		t.Errorf("progress without a terminal: %q", r.stderr)
	}
}

func TestNothingToWaitFor(t *testing.T) {
	a := newAdmin(t)
	a.say("PUT weights", answer{200, `{"release":13,"nodes":[]}`})
	r := runWith(t, a.vars(), "weights", "set", "demo", "demo-api=1", "--wait")
	if r.code != 0 || !strings.Contains(r.stderr, "no live node") {
		t.Errorf("exit %d, %q", r.code, r.stderr)
	}
}
