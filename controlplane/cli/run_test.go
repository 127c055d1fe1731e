package cli_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/cli"
)

var update = flag.Bool("update", false, "write the transcripts anew")

func text(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// stdin is what every command can read.
var stdin = `{"hash":"` + hash + `","prefix":"hyi-old1","name":"old batch","models":["demo"]}
{"hash":"a` + hash[1:] + `","user":"alice"}
`

// result is what a command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// runWith runs a command in an environment that has nothing but vars.
func runWith(t *testing.T, vars map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), cli.Options{
		Args: args, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stderr, Version: "v1.2.3", Env: lookup(vars),
	})
	return result{stdout.String(), stderr.String(), code}
}

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		text, ok := vars[name]
		return text, ok
	}
}

// vars is the environment of an operator of a.
func (a *admin) vars(more ...string) map[string]string {
	vars := map[string]string{"GATEWAY_ADMIN_URL": a.url, "ADMIN_TOKEN": token, "USER": "alice"}
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return vars
}

// TestTranscripts runs the lines of testdata/transcripts that begin with $ and
// compares what they ask of the admin API, print and return with what stands
// below them. A new case is a new line, then -update, then reading the result.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := transcript(t, string(want))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s is not what happens (-update writes it anew): %s", path, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, gotLines[i], wantLines[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(gotLines), len(wantLines))
}

func transcript(t *testing.T, script string) string {
	t.Helper()
	a := newAdmin(t)
	var out strings.Builder
	for line := range strings.Lines(script) {
		command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
		if !ok {
			continue
		}
		vars, args := assignments(a, words(t, command))
		r := runWith(t, vars, args...)
		fmt.Fprintf(&out, "$ %s\n", command)
		for _, request := range a.requests() {
			fmt.Fprintf(&out, "> %s\n", request)
		}
		out.WriteString(r.stdout)
		for line := range strings.Lines(r.stderr) {
			out.WriteString("stderr: " + line)
		}
		fmt.Fprintf(&out, "exit %d\n\n", r.code)
	}
	return strings.ReplaceAll(out.String(), a.url, "http://admin.test")
}

// assignments reads NAME=value in front of gatewayctl, as a shell does.
func assignments(a *admin, typed []string) (vars map[string]string, args []string) {
	for i, word := range typed {
		if word == "gatewayctl" {
			return a.vars(typed[:i]...), typed[i+1:]
		}
	}
	return a.vars(), typed
}

// TestExamplesWork runs every example of every --help.
func TestExamplesWork(t *testing.T) {
	a := newAdmin(t)
	// the examples name config/ and exports of providers
	dir := t.TempDir()
	config, err := filepath.Abs("../../config")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.CopyFS(dir, os.DirFS("testdata")), os.Symlink(config, filepath.Join(dir, "config"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, e := range cli.CommandExamples() {
		args := words(t, e.Line)
		if len(args) == 0 || args[0] != "gatewayctl" {
			t.Errorf("%s has no example of gatewayctl", e.Command)
			continue
		}
		if r := runWith(t, a.vars(), args[1:]...); r.code != 0 || r.stdout == "" {
			t.Errorf("%s: exit %d, printed %q, %q", e.Line, r.code, r.stdout, r.stderr)
		}
	}
}
