package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// engine does with hosts what Docker Compose does with containers, as far as
// docker-compose.yml and the scripts beside it ask for: it is there because not
// every machine that runs the tests has Docker. The compose file is read by
// Compose's own library, which checks it against the schema.
type engine struct {
	t       *testing.T
	net     *network
	dir     string // of the compose file
	build   string // what build.sh has made
	images  map[string]image
	docker  string // a folder with the program docker, which asks this engine
	mu      sync.Mutex
	number  int
	running map[string][]*container // by service, the oldest first
}

// image is a target of the Dockerfile.
type image struct {
	env                 []string
	files               map[string]string // in the image, by what build.sh calls it
	entrypoint, command []string
	user                string
	run                 []string
	health              []string
}

// container runs.
type container struct {
	*host
	id, version string
	service     types.ServiceConfig
	user        string
	env         []string
	process     *process
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	checkout := t.TempDir()
	if err := os.Chmod(checkout, 0o755); err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, net: newNetwork(t, "172.31.77"), dir: filepath.Join(checkout, "deploy", "docker"), running: map[string][]*container{}}
	e.checkout(checkout)
	e.build = filepath.Join(checkout, "out")
	build := exec.Command(filepath.Join(e.dir, "build.sh"), e.build)
	build.Env = append(os.Environ(), "VERSION=v1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, out)
	}
	e.images = readDockerfile(t, filepath.Join(e.dir, "Dockerfile"))
	server := httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(server.Close)
	e.docker = t.TempDir()
	shim := `#!/usr/bin/env bash
set -euo pipefail
answer=$(mktemp -d); trap 'rm -rf "$answer"' EXIT
in=/dev/null; [[ " $* " != *" exec -T "* ]] || in=-
curl -sS -H "X-Args: $(printf '%s\0' "$@" | base64 -w0)" -H "X-Version: ${GATEWAY_VERSION:-}" --data-binary @"$in" -D "$answer/head" -o "$answer/body" ` + server.URL + `
status=$(sed -n 's/^X-Status: \([0-9]*\).*/\1/p' "$answer/head")
if ((status)); then cat "$answer/body" >&2; else cat "$answer/body"; fi
exit "$status"
`
	if err := os.WriteFile(filepath.Join(e.docker, "docker"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	return e
}

// checkout copies what the build context has: what git has, without what
// Dockerfile.dockerignore leaves out.
func (e *engine) checkout(to string) {
	e.t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		e.t.Fatal(err)
	}
	tar := exec.Command("sh", "-c", `tar -c --ignore-failed-read -T - | tar -x -C "$1"`, "sh", to)
	tar.Dir, tar.Stdin = root, bytes.NewReader(out)
	if out, err := tar.CombinedOutput(); err != nil {
		e.t.Fatalf("%v\n%s", err, out)
	}
}

// readDockerfile reads as much of it as there is in ours.
func readDockerfile(t *testing.T, path string) map[string]image {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]image{}
	var name string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		i := all[name]
		switch word {
		case "FROM":
			_, name, _ = strings.Cut(rest, " AS ")
			i = image{files: map[string]string{}}
		case "ENV":
			i.env = append(i.env, strings.Fields(rest)...)
		case "USER":
			i.user = rest
		case "RUN":
			i.run = append(i.run, rest)
		case "COPY":
			if from, to, ok := strings.Cut(strings.TrimPrefix(rest, "--from=build "), " "); ok && strings.HasPrefix(from, "/out/") {
				i.files[to] = strings.TrimPrefix(from, "/out/")
			}
		case "ENTRYPOINT":
			unmarshal(t, rest, &i.entrypoint)
		case "CMD":
			unmarshal(t, rest, &i.command)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, " CMD ")
			unmarshal(t, command, &i.health)
		}
		all[name] = i
	}
	return all
}

// project reads the compose file as Compose does, with .env.
func (e *engine) project(version string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(e.dir, "docker-compose.yml")}, cli.WithWorkingDirectory(e.dir),
		cli.WithEnv([]string{"GATEWAY_VERSION=" + version}), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithDefaultProfiles(), cli.WithConsistency(true))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

// script runs one of the scripts beside the compose file, as an operator does.
func (e *engine) script(version, name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(e.dir, name), args...)
	cmd.Dir = filepath.Join(e.dir, "..", "..")
	cmd.Env = []string{
		"PATH=" + e.docker + ":" + os.Getenv("PATH"), "GORACE=" + os.Getenv("GORACE"), "HOME=" + e.t.TempDir(),
		"GATEWAYCTL=" + filepath.Join(bin, "gatewayctl"), "GATEWAYCTL_DIR=nats", "CHECKOUT=" + version, "GATEWAY_SETTLE_SECONDS=0.5",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (e *engine) must(version, name string, args ...string) string {
	e.t.Helper()
	out, err := e.script(version, name, args...)
	if err != nil {
		e.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}
