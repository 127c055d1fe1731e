package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestFirstHour follows the README in a fresh clone: every command as it is
// written, `make run` in one terminal, the others in a second one, in a network of
// their own because the ports are the usual ones. With FIRST_HOUR_RUNS it does so
// that many times, make really builds, and the quick start of the docs follows;
// without it the binaries are those that TestMain has built.
func TestFirstHour(t *testing.T) {
	t.Parallel() // a stream of ten seconds is waited for
	runs, real := 1, false
	if n, err := strconv.Atoi(os.Getenv("FIRST_HOUR_RUNS")); err == nil {
		runs, real = n, true
	}
	script := firstHour(t, real)
	for run := range runs {
		t.Run(fmt.Sprint("run ", run+1), func(t *testing.T) {
			dir := clone(t)
			cmd := exec.CommandContext(t.Context(), "unshare", "--net", "bash", "-c", script)
			cmd.Dir, cmd.Env = dir, newcomer(t, real)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("the last command ended with %v", err)
			}
			for _, want := range []string{
				`"status":"healthy"`, `"id":"demo"`, "The gateway is up", "2 of 11 in service", "Pong",
				"data: [DONE]", "hyi-", "demo-b", "restarted: laptop is still there", "valid: 1 model",
			} {
				if !strings.Contains(string(out), want) {
					t.Errorf("nothing printed %q", want)
				}
			}
			// status says with 5 that models lack their keys, which is what a newcomer has
			for _, m := range regexp.MustCompile(`"error": ?\{.*|.*DATA RACE.*|(?m)^exit \d+: .*`).FindAllString(string(out), -1) {
				if !strings.HasPrefix(m, "exit 5: ") || !strings.HasSuffix(m, "gatewayctl status") {
					t.Errorf("a command failed: %s", m)
				}
			}
			if t.Failed() {
				t.Logf("%s", regexp.MustCompile(`(?m)^.*data: \{.*\n\n`).ReplaceAll(out, nil))
			} else if real {
				t.Logf("result: run %d: %s", run+1, regexp.MustCompile(`took .*`).FindString(string(out)))
			}
		})
	}
}

// firstHour returns the script: the documents' blocks, and between them what a
// reader does with hands and eyes.
func firstHour(t *testing.T, real bool) string {
	t.Helper()
	readme, quick := readText(t, "README.md"), readText(t, "docs/quick-start.md")
	start := blocks(t, "console", section(t, readme, "## Quick start", "### The console"))
	if start != blocks(t, "console", quick) {
		t.Errorf("README.md and docs/quick-start.md start the gateway differently: %q", start)
	}
	second := ""
	if real { // else TestDocsCommands runs them
		second = blocks(t, "sh", quick)
	}
	// terminal waits for the greeting, ctrlC for the end of everything in the first terminal.
	return `set -mu # m: Ctrl-C is for the processes of one terminal
ip link set lo up
terminal() {
  { set +x; } 2>/dev/null
  { ` + strings.TrimSpace(start) + `; } >terminal.txt 2>&1 &
  first=$!
  for _ in $(seq 6000); do ! grep -q 'Try it:' terminal.txt || break; sleep 0.1; done
  cat terminal.txt
  grep -h '^  curl http' terminal.txt | bash
  set -x
}
ctrlC() { kill -INT -- "-$first"; wait "$first" || true; tail -n 5 terminal.txt; }
trap 'echo "exit $?: $BASH_COMMAND"' ERR
trap 'kill -INT -- "-$first" 2>/dev/null; wait' EXIT
began=$SECONDS
PS4='+ ${EPOCHREALTIME} '
terminal
` + blocks(t, "sh", section(t, readme, "## Quick start", "### The console")) + `
ctrlC # while the stream of ten seconds runs
wait
terminal
bin/gatewayctl keys list | grep -q laptop && echo 'restarted: laptop is still there'
PATH=$PWD/bin:$PATH
` + second + blocks(t, "sh", section(t, readme, "## Coming from another gateway", "## Point a client at it")) + `
MODELS_CONFIG=models.yaml bin/controlplane validate
ctrlC
echo "took $((SECONDS - began)) s"
trap wait EXIT
`
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func section(t *testing.T, text, from, to string) string {
	t.Helper()
	_, text, found := strings.Cut(text, "\n"+from+"\n")
	text, _, ends := strings.Cut(text, "\n"+to+"\n")
	if !found || !ends {
		t.Fatalf("no section from %q to %q", from, to)
	}
	return text
}

// blocks returns the lines of all blocks of a language.
func blocks(t *testing.T, language, text string) (lines string) {
	t.Helper()
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		lines += m[1]
	}
	if lines == "" {
		t.Fatalf("no commands in\n%s", text)
	}
	return lines
}

// clone returns a folder with the files that git tracks and nothing else, and
// beside them the files that somebody brings from another gateway.
func clone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	list := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z")
	files, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	put := func(from, to string) {
		content, err := os.ReadFile(from)
		if os.IsNotExist(err) {
			return // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	for file := range strings.SplitSeq(strings.TrimRight(string(files), "\x00"), "\x00") {
		put(filepath.Join(root, file), filepath.Join(dir, file))
	}
	for _, file := range []string{"config.yaml", "models.json", "old.env"} {
		put(filepath.Join(root, "controlplane", "cli", "testdata", file), filepath.Join(dir, file))
	}
	return dir
}

// newcomer is an environment without a setting of the gateway. Unless make is to
// build, a `go build` copies the binaries of TestMain.
func newcomer(t *testing.T, real bool) []string {
	t.Helper()
	path := os.Getenv("PATH")
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if !real {
		shim := t.TempDir()
		script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = build ] || exec %q \"$@\"\nmkdir -p bin && cp %s/gatewayctl %s/standalone %s/controlplane bin/\n", goTool, bin, bin, bin)
		if err := os.WriteFile(filepath.Join(shim, "go"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		path = shim + ":" + path
	}
	env := []string{"PATH=" + path, "HOME=" + t.TempDir(), "USER=reader", "GORACE=" + os.Getenv("GORACE")}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOTOOLCHAIN"} {
		value, err := exec.CommandContext(t.Context(), goTool, "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env
}
